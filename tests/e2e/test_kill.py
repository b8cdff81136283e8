"""kill -9 of each service at each turn of the story: it completes, and nobody is told twice."""

import pytest

from arrivals import expect_one_membership, settled
from http_client import Gateway
from narrator import Narrator
from story import play
from suite import SERVICES

POINTS = ["registered", "validated", "completed", "offered", "accepted", "requested"]
CONTACT_S = 60.0


@pytest.mark.parametrize("service", SERVICES)
def test_kill_9_while_the_story_runs(suite, gateway, sandbox, options, service):
    """Each point kills once, in one story: a client who repeats what got no answer notices only
    that it took longer."""
    options.mail_limit_s = options.patience_s = CONTACT_S
    killed = set()

    def point(name):
        if name in POINTS and name not in killed:
            killed.add(name)
            suite.ensure_running(service)
            suite.kill(service)

    narrator = Narrator(quiet=True)
    story = play(options, narrator, point, Gateway(suite.base, patience_s=CONTACT_S))
    failed = [f"step {step.number}: {step.failure}" for step in narrator.steps if step.failure]
    assert failed == []
    assert killed == set(POINTS)
    suite.ensure_all()
    # The client: validation, repeated registration, the offer. The provider: validation and the
    # acceptance.
    settled(suite, sandbox, story.client, mails=3, pushes=1)
    assert len(story.campaign_mails(story.client)) == 1
    settled(suite, sandbox, story.provider, mails=2, pushes=1)
    expect_one_membership(sandbox, story.provider)
