"""The cells of the matrix that are not equal, as access/unequal.txt lists them, each with its reason.

The file is written by `matrix.py --write`. A block begins with `== WHICH /proc` and has a reason, a category, and what the
two answer; its lines are `READERS -> PROCESSES: KINDS`. `* but A, B` are all others that there are; a word in capitals
stands for the kinds that `GROUPS` names.
"""

import collections
import pathlib

from nodes import FRAMES, KINDS, MAPS, PAGEMAP

LIST = pathlib.Path(__file__).parent / "unequal.txt"
TITLE = "# Cells that are not equal; written by `matrix.py --write`, explained in unequal.py.\n"
GROUPS = {
    "PAGES": [kind.name for kind in KINDS if kind.needs == PAGEMAP],
    "MAPS": [kind.name for kind in KINDS if kind.needs == MAPS and not kind.also],
    "SIZES": [kind.name for kind in KINDS if kind.needs == MAPS and kind.also],
    "SMAPS": [kind.name for kind in KINDS if "smaps" in kind.needs or "smaps_rollup" in kind.needs],
    "ARRAYS": [kind.name for kind in KINDS if kind.needs[: len(FRAMES)] == FRAMES],
    "OBJECTS": [kind.name for kind in KINDS if kind.needs in (("object",), ("map_files",))],
    "NAMES": [kind.name for kind in KINDS if kind.needs == ("comm",)],
    "FOLDER": [kind.name for kind in KINDS if kind.needs == ("folder",) or (kind.needs == ("lstat",) and kind.also)],
    "TABLES": [kind.name for kind in KINDS if kind.form != "text" and kind.of_all],
}  # fmt: skip


# Equal in one run and not in another, with any hidepid: whether a listing of a name has the reader itself, for whom there is
# no exception, depends on who asked for the name before.
SOMETIMES = "itself", "listed by-name/NAME/PID", ("LESS", "shown", "ENOENT")


def key(cell):
    """What the list says of a cell besides its reason."""
    return cell.category, cell.proc, cell.mount.partition(",")[0]


def place(cell):
    return cell.reader, cell.subject, cell.kind


def brief_kinds(names):
    """Names of kinds, as many of them as can be by group."""
    left, words = set(names), []
    for word, members in GROUPS.items():
        if left.issuperset(members):
            words.append(word)
            left -= set(members)
    return words + [name for name in names if name in left]


def brief_names(names, everybody):
    """`* but` those who are left out, where that is shorter."""
    out = [name for name in everybody if name not in names]
    if len(out) < len(names) - 1:
        return "*" + (" but " + ", ".join(out) if out else "")
    return ", ".join(names)


def spelled(text, everybody):
    """The names that a list of brief_names stands for."""
    if text.startswith("*"):
        out = text.removeprefix("*").removeprefix(" but ").split(", ")
        return [name for name in everybody if name not in out]
    return text.split(", ")


def grouped(cells):
    """(Readers, processes, kinds) of cells, as few as they can be: those that have the same in common are one."""
    kinds = collections.defaultdict(list)
    for cell in cells:
        kinds[cell.reader, cell.subject].append(cell.kind)
    whom = collections.defaultdict(list)
    for (reader, subject), names in kinds.items():
        whom[reader, tuple(names)].append(subject)
    who = collections.defaultdict(list)
    for (reader, names), labels in whom.items():
        who[tuple(labels), names].append(reader)
    for (labels, names), found in who.items():
        yield found, labels, names


def lines(cells, readers, subjects):
    """The cells of one block."""
    for who, labels, names in grouped(cells):
        yield f"{brief_names(who, readers)} -> {brief_names(labels, subjects)}: {', '.join(brief_kinds(names))}"


def write(results, reason):
    """RESULTS are the cells of each kind of /proc; REASON(which, cell) says why one is not equal."""
    blocks = collections.defaultdict(list)
    for which, found in results.items():
        readers, subjects = (list(dict.fromkeys(cell[column] for cell in found)) for column in (0, 1))
        groups = collections.defaultdict(list)
        for cell in found:
            if cell.category != "EQUAL":
                groups[reason(which, cell), key(cell)].append(cell)
        for (why, answers), cells in sorted(groups.items()):
            for line in lines(cells, readers, subjects):
                blocks[why, answers, line].append(which)
    heads = collections.defaultdict(list)
    for (why, answers, line), which in blocks.items():
        heads[" | ".join(which), why, answers].append(line)
    text = [TITLE]
    for (which, why, (category, proc, mount)), found in sorted(heads.items()):
        text += [f"\n== {which}\n{why}\n{category} /proc: {proc}; mount: {mount}\n", *(f"  {line}\n" for line in found)]
    LIST.write_text("".join(text))


def listed(which, readers, subjects):
    """A dictionary (reader, process, kind) -> key, of one kind of /proc."""
    subject, kind, answers = SOMETIMES
    found = {(reader, subject, kind): answers for reader in readers if which.startswith("hidepid")}
    for block in LIST.read_text().split("\n== ")[1:]:
        head, _, answers, *rest = block.strip("\n").split("\n")
        if which not in head.split(" | "):
            continue
        category, _, both = answers.partition(" /proc: ")
        proc, _, mount = both.partition("; mount: ")
        for line in rest:
            who, _, more = line.strip().partition(" -> ")
            whom, _, kinds = more.partition(": ")
            names = [name for word in kinds.split(", ") for name in GROUPS.get(word, [word])]
            for reader in spelled(who, readers):
                for subject in spelled(whom, subjects):
                    found.update({(reader, subject, kind): (category, proc, mount) for kind in names})
    return found


def news(found, known):
    """Cells that are not equal and not listed like that, and places of the list that are equal now."""
    places = {place(cell): cell for cell in found}
    new = [cell for where, cell in places.items() if cell.category != "EQUAL" and known.get(where) != key(cell)]
    gone = [where for where in known if where[1:] != SOMETIMES[:2] and where in places and places[where].category == "EQUAL"]
    return new, gone
