"""Stands in for the outside providers of Relais over their real protocols."""
