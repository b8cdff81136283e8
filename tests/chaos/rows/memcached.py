"""memcached down or black-holed: slower, not wrong; no request waits more than 20 ms for it."""

TITLE = "memcached down or black-holed"


def run(chaos):
    with chaos.gate("memcached") as gate, chaos.through(gate, "web-api"):
        for name, act in (("refuses", gate.refuse), ("answers nothing", gate.black_hole)):
            chaos.inject(f"memcached {name}")
            act()
            answer = chaos.gateway.get("/v1/jobs")
            chaos.check(f"reads while it {name}", answer.status == 200, answer.describe())
            gate.open()
