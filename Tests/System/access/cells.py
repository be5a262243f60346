"""One look of one reader at one process: what /proc and the mount answer, and how that compares."""

from typing import NamedTuple

from facts import FACTS, REFUSED, Facts
from nodes import ACCESS, KINDS, OF_THE_TREE
from retries import attempts
from unequal import key, place

# Readers whose real ids are others than those that they read with, as access(2) shows.
OF_OTHER_REAL_IDS = {"setuid-root", "setuid-root-lowered", "setuid-1001", "fsuid-1000"}


class Cell(NamedTuple):
    reader: str
    subject: str
    kind: str
    # EQUAL; MORE or LESS than /proc shows this reader; ERRNO: refused otherwise; EMPTY: nothing against an error;
    # OTHER: both show something, and it differs.
    category: str
    proc: str
    mount: str


class Subject(NamedTuple):
    """A process that is looked at."""

    label: str
    pid: int
    task: int
    name: str
    # Its mappings: of a file, and anonymous; None without memory.
    file: str | None
    anon: str | None
    file_label: str = "known"
    # Answering alters its mappings.
    changes: bool = False

    def fill(self, request):
        anon = self.anon or "1000-2000"
        start, end = (int(part, 16) for part in anon.split("-"))
        return request.format(
            pid=self.pid,
            task=self.task,
            name=self.name,
            file=self.file or "1000-2000",
            anon=anon,
            address=f"{end - 1:x}",
            label=self.file_label,
            offset=start // 4096 * 8,
            bytes=min(8, (end - start) // 4096) * 8,
        )


TREE = Subject("(the tree)", 0, 0, "", None, None)


def kinds_of(reader, subject):
    if subject is TREE:
        return OF_THE_TREE
    kinds = KINDS + ACCESS if reader in OF_OTHER_REAL_IDS else KINDS
    return [kind for kind in kinds if subject.file or kind.of_all]


def answers(reader, requests):
    """An errno name or bytes for each request."""
    found = []
    for answer in reader.tell("\t".join(requests), timeout=60).rstrip("\t").split("\t"):
        word, _, value = answer.partition(" ")
        found.append(bytes.fromhex(value) if word == "ok" else value)
    assert len(found) == len(requests), (requests, found)
    return found


def presence(answer, subject):
    """What a listing says of the process."""
    if isinstance(answer, str):
        return answer
    return b"listed" if str(subject.pid).encode() in answer.split() else "ENOENT"


def is_empty(kind, answer):
    if kind.form == "table":
        return all(line.startswith(b"#") for line in answer.splitlines())
    return kind.form == "names" and not answer


def compare(kind, facts, got):
    """The category, and what was expected."""
    needs = kind.needs
    nothing = facts.without_memory and kind.form in ("table", "names")
    if facts.without_memory and kind.path == "PID/summary":
        needs = ("status",)
    refusals = {facts.refusal(need) for need in needs if need != "frames" and facts.refusal(need)}
    if "frames" in needs and not facts.frames:
        refusals |= REFUSED
    expected = "empty" if nothing else "/".join(sorted(refusals)) or "shown"
    if isinstance(got, str):
        if nothing:
            return "EMPTY", expected
        if refusals:
            return "EQUAL" if got in refusals | kind.errnos else "ERRNO", expected
        return "EQUAL" if got in [facts.refusal(fact) for fact in kind.also] else "LESS", expected
    if nothing:
        return "EQUAL" if is_empty(kind, got) else "MORE", expected
    if refusals:
        harmless = is_empty(kind, got) and not facts.subject.file and facts.sees("lstat")
        return "EMPTY" if harmless else "MORE", expected
    if is_empty(kind, got):
        return "LESS", expected
    return kind.check(facts, got) or "EQUAL", expected


def brief(answer):
    return answer if isinstance(answer, str) else f"shown, {len(answer)} bytes"


# Facts that say what they say without changing by themselves; of the others counts whether they are refused.
STEADY = {"comm", "exe", "maps", "pagemap", "map_files", "self", "access", "access_object", "own"}


def steady(facts):
    """What /proc says of the two, the reader and the process, as far as it stays the same while neither changes."""
    return {name: answer if isinstance(answer, str) or name in STEADY else "shown" for name, answer in facts.items()}


def asked(reader, subject, requests=()):
    """What /proc says, and the answers to the requests."""
    found = answers(reader, [*(subject.fill(request) for request in FACTS.values()), *requests])
    facts = dict(zip(FACTS, found))
    facts["listed"] = presence(facts["listed"], subject)
    facts["own"] = rights_of(facts["own"])
    return facts, found[len(FACTS) :]


def rights_of(status):
    """The lines of a status that tell of rights."""
    if isinstance(status, str):
        return status
    words = (b"Uid:", b"Gid:", b"Groups:", b"Cap", b"NoNewPrivs:")
    return b"\n".join(line for line in status.splitlines() if line.startswith(words))


def look(label, reader, subject, kinds):
    """A cell for each of the kinds, and those names among them that showed more while /proc said the same before and after."""
    before, found = asked(reader, subject, [subject.fill(kind.request) for kind in kinds])
    facts = Facts(before | {"refused access": before["access"]}, subject)
    if before["access"] == "EPERM":
        facts.answers["access"] = b""  # Under hidepid=1, of what is there: else it were ENOENT.
    cells = {}
    for kind, got in zip(kinds, found):
        if kind.operation == "listed":
            got = presence(got, subject)
        category, expected = compare(kind, facts, got)
        cells[kind.name] = Cell(label, subject.label, kind.name, category, expected, brief(got))
    more = {name for name, cell in cells.items() if cell.category == "MORE"}
    if more and steady(before) != steady(asked(reader, subject)[0]):
        more = set()
    return cells, more


def compared(label, reader, subject, known=None, repeats=4):
    """The cells. What is neither equal nor KNOWN to be like that is looked at again, since processes change while they are.

    A cell that showed more stays so, unless /proc itself said something else before and after.
    """
    kinds = again = kinds_of(label, subject)
    known, cells, final = known or {}, {}, set()
    for _ in attempts(repeats, "cells of the matrix"):
        found, more = look(label, reader, subject, again)
        cells |= found
        final |= more
        again = [kind for kind in kinds if kind.name not in final and not is_as_known(cells[kind.name], known)]
        if not again:
            break
    return list(cells.values())


def is_as_known(cell, known):
    return cell.category == "EQUAL" or known.get(place(cell)) == key(cell)
