"""The state of the whole outside world, put together in one place."""

from .changes import Changes
from .clock import Clock
from .faults import Faults
from .journal import Journal
from .mailbox import Mailbox
from .settings import Credentials, Settings
from .webhooks import Webhooks


class World:
    """Shared by all providers of one sandbox; lives as long as the process."""

    def __init__(self, credentials=None, seed=1):
        self.credentials = credentials or Credentials()
        self.settings = Settings()
        self.clock = Clock()
        self.changes = Changes()
        self.journal = Journal(self.clock, self.changes)
        self.faults = Faults(self.changes, seed)
        self.mailbox = Mailbox(self.clock, self.changes)
        self.webhooks = Webhooks(self.clock, self.changes, self.faults, self.journal, self.settings)
        self.save = lambda: None  # what keeps the accounts over a restart
        self.ports = {}
        self.providers = []  # each has reset(everything: bool)
        self.outcomes = {}  # address -> what the receiving mail server does with it

    def background(self, coroutine):
        return self.webhooks.run(coroutine)

    async def reset(self, everything=False):
        """Forgets what happened. Account set-up (webhooks, lists) stays unless `everything`."""
        await self.webhooks.reset()
        self.clock.reset()
        self.settings.reset()
        self.faults.reset()
        self.journal.reset()
        self.mailbox.reset()
        self.outcomes.clear()
        for provider in self.providers:
            provider.reset(everything)
        self.save()
        self.changes.notify("reset", {})
