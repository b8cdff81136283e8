"""Reads a Dockerfile: the stages and instructions that deploy/docker/Dockerfile is made of.

Anything else is an error, so that nothing is silently left out of the proof.
"""

import dataclasses
import json
import pathlib
import re
import shlex

KNOWN = {
    *("ARG", "FROM", "RUN", "COPY", "ENV", "LABEL", "WORKDIR", "USER", "EXPOSE"),
    *("HEALTHCHECK", "ENTRYPOINT"),
}
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
RUN_OPTION = re.compile(r"--mount=type=cache,target=(\S+)\s+")


class DockerfileError(Exception):
    pass


@dataclasses.dataclass
class Instruction:
    word: str
    text: str  # what follows the word, continuation lines joined
    line: int


@dataclasses.dataclass
class Stage:
    name: str
    base: str  # another stage, or an image
    instructions: list

    def all(self, word):
        return [each for each in self.instructions if each.word == word]

    def last(self, word):
        found = self.all(word)
        return found[-1] if found else None


def instructions(text):
    """Comments are dropped, continued lines joined."""
    pending, began = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not pending and not line.strip()):
            continue
        began = began or number
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        word, _, rest = pending.partition(" ")
        if word not in KNOWN:
            raise DockerfileError(f"line {began}: {word} is not known here")
        yield Instruction(word, re.sub(r"\s+", " ", rest).strip(), began)
        pending, began = "", 0


def expand(text, variables):
    """$NAME and ${NAME}, as in FROM, COPY, ENV, LABEL, USER and WORKDIR."""
    return VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), text)


def read(path, arguments=None):
    """{name: Stage} in the order of the file. `arguments` are --build-arg values for FROM."""
    made, current, globals_ = {}, None, {}
    for each in instructions(pathlib.Path(path).read_text(encoding="utf-8")):
        if each.word == "FROM":
            words = expand(each.text, globals_).split()
            if len(words) != 3 or words[1] != "AS":
                raise DockerfileError(f"line {each.line}: FROM BASE AS NAME")
            current = made[words[2]] = Stage(words[2], words[0], [])
        elif current is None:
            name, _, default = each.text.partition("=")
            globals_[name] = (arguments or {}).get(name, default)
        else:
            current.instructions.append(each)
    return made


def pairs(text):
    """The NAME=value pairs of ENV, LABEL and ARG."""
    return dict(pair.partition("=")[::2] for pair in shlex.split(text))


def words_of(instruction):
    """The exec form of ENTRYPOINT and HEALTHCHECK: a JSON list. No shell is involved."""
    text = instruction.text
    begin = text.find("[")
    if begin < 0:
        raise DockerfileError(f'line {instruction.line}: only the exec form: ["program", …]')
    return json.loads(text[begin:])


def run_of(instruction):
    """(command line, folders that are kept from build to build) of a RUN."""
    text, caches = instruction.text, []
    while option := RUN_OPTION.match(text):
        caches.append(option[1])
        text = text[option.end() :]
    if text.startswith("--"):
        raise DockerfileError(f"line {instruction.line}: an option of RUN that is not known here")
    return text, caches


def copy_of(instruction):
    """(stage or None, sources, destination) of a COPY."""
    words = shlex.split(instruction.text)
    stage = None
    if words[0].startswith("--from="):
        stage = words.pop(0).removeprefix("--from=")
    if len(words) < 2 or words[0].startswith("--"):
        raise DockerfileError(f"line {instruction.line}: COPY [--from=STAGE] SOURCE… DESTINATION")
    return stage, words[:-1], words[-1]


def configuration(stages, name):
    """What a container of the stage is started with: user, environment, folder, entrypoint, health
    check, as the chain of its bases and itself leave them."""
    chain = []
    while name in stages:
        chain.insert(0, stages[name])
        name = stages[name].base
    found = {"user": "0:0", "environment": {}, "folder": "/", "entrypoint": [], "health": []}
    found["labels"] = {}
    for stage in chain:
        for each in stage.instructions:
            if each.word == "USER":
                found["user"] = each.text
            elif each.word == "ENV":
                found["environment"].update(pairs(each.text))
            elif each.word == "LABEL":
                found["labels"].update(pairs(each.text))
            elif each.word == "WORKDIR":
                found["folder"] = each.text
            elif each.word == "ENTRYPOINT":
                found["entrypoint"] = words_of(each)
            elif each.word == "HEALTHCHECK":
                found["health"] = words_of(each)
    return found
