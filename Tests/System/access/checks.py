"""Whether a text of the mount that is not about pages says more than /proc has told its reader, or something else."""

from facts import REFUSED, compare, values


def exactly(*texts):
    """Nothing but one of these, which tell nothing that depends on rights. {pid} is the process, {itself} the reader's number."""

    def check(facts, body):
        own = facts.body("self").decode()
        return None if body.decode() in [text.format(pid=facts.subject.pid, itself=own) for text in texts] else "OTHER"

    return check


def check_link(name):
    """A link into the /proc that is shown: the last parts of its text."""

    def check(facts, body):
        pid, task = facts.subject.pid, facts.subject.task
        ends = [f"/{pid}/{name}", f"/{pid}/task/{task}/{name}", f"/{task}/{name}"]
        ends = tuple(end.replace("RANGE", facts.subject.file or "") for end in ends)
        return None if body.startswith(b"/") and body.decode().endswith(ends) else "OTHER"

    return check


def check_link_size(text):
    """The size of a link is the length of its text, of which this is the end; it takes no blocks."""

    def check(facts, body):
        size, blocks = map(int, body.split())
        least = len(text.format(pid=facts.subject.pid, file=facts.subject.file))
        return None if not blocks and (size == least or (text.startswith("/") and size > least)) else "OTHER"

    return check


def check_summary(facts, body):
    told = values(body)
    entries = told.get(b"Entries")
    if entries is None:  # Of a process without memory.
        return None if facts.without_memory else "OTHER"
    return compare(entries != b"?", facts.sees("pagemap"), b"Uss" in told and facts.agrees(told, "smaps_rollup"))


def check_mapping_summary(facts, body):
    """Of the anonymous mapping, two of whose pages are written."""
    told, start, end = values(body), *facts.anon
    equal = told.get(b"Size") == b"%d kB" % ((end - start) // 1024)
    return compare(told.get(b"Entries") != b"?", facts.sees("pagemap"), equal)


def check_smaps(facts, body):
    """The line of maps, and the size of that mapping."""
    first_line, _, rest = body.partition(b"\n")
    start, end = (int(part, 16) for part in facts.subject.file.split("-"))
    if first_line + b"\n" != facts.map_line(facts.subject.file):
        return "MORE"
    return None if values(rest).get(b"Size") == b"%d kB" % ((end - start) // 1024) else "OTHER"


def check_layout(facts, body):
    """Range, rights and name of each mapping, as in this reader's maps."""
    lines = [row.split(None, 8) for row in body.decode().splitlines()[2:]]
    shown = [(line[0], line[1], line[8] if len(line) > 8 else "-") for line in lines]
    own = facts.lines_of_maps
    if facts.subject.changes:
        return None if own and shown else "OTHER"
    if {row[0] for row in shown} - {line[0] for line in own}:
        return "MORE"
    names = [(span, rights, name or None) for span, rights, name in own]
    equal = [(span, rights, name if known else None) for (span, rights, name), (_, _, known) in zip(shown, names)]
    return None if len(shown) == len(own) and equal == names else "OTHER"


def check_files(facts, body):
    """The ranges of this reader's map_files, with the names of this reader's maps."""
    shown = {line[0]: line[6] for line in (row.split(None, 6) for row in body.decode().splitlines()[2:])}
    own = {name.decode() for name in facts.body("map_files").split()}
    if facts.subject.changes:
        return None if own and shown else "OTHER"
    if shown.keys() - own:
        return "MORE"
    names = {span: name for span, _, name in facts.lines_of_maps}
    return None if shown.keys() == own and all(not names or names[span] == shown[span] for span in shown) else "OTHER"


def check_labels(facts, body):
    """As many names as mappings that have one, and no two of one name."""
    listed, own = body.split(), facts.lines_of_maps
    if facts.subject.changes:
        return None if facts.subject.file_label.encode() in listed else "OTHER"
    named = sum(bool(name) for _, _, name in own)
    at_most = len(own)
    known = facts.subject.file_label.encode() in listed
    return None if known and len(set(listed)) == len(listed) and named <= len(listed) <= at_most else "OTHER"


def check_names(facts, body):
    """Names of processes, or nothing for who sees none."""
    listed = body.split(b"\n")
    return "OTHER" if listed.pop() or not all(listed) or any(b"/" in name for name in listed) else None


def check_capabilities(facts, body):
    """Yes or no, and no more than this reader's /proc grants."""
    told = values(body)
    if not all(value.startswith((b"yes", b"no ")) for value in told.values()) or b"Frames" not in told:
        return "OTHER"
    shown = [name for name in ("kpageflags", "kpagecount", "kpagecgroup") if told[name.capitalize().encode()] == b"yes"]
    return None if facts.sees(*shown) else "MORE"


def begins(text):
    def check(facts, body):
        return None if body.startswith(text) else "OTHER"

    return check


def check_executable(facts, body):
    value = values(body)[b"Executable"]
    if values(body)[b"Pid"] != b"%d" % facts.subject.pid:
        return "OTHER"
    if facts.refusal("exe") in REFUSED:
        return compare(value != b"?", False)
    return compare(value != b"?", True, value == (facts.body("exe") or b"-"))


def check_line(facts, body):
    """A line that /proc does not show like this says more than it does."""
    return None if body == facts.map_line(facts.subject.file) else "MORE"


def check_named(facts, body):
    """The name in a report is that in this reader's maps."""
    if values(body)[b"Range"] != facts.subject.file.encode():
        return "OTHER"
    name = values(body)[b"Name"] + (b" (deleted)" if values(body)[b"Deleted"] == b"yes" else b"")
    return None if facts.map_line(facts.subject.file).split(None, 5)[5].rstrip(b"\n") == name else "MORE"


def check_mappings(facts, body):
    own = [line.split()[0] for line in facts.body("maps").splitlines()]
    listed = body.split()
    if facts.subject.changes:
        own, listed = ([name for name in names if name == facts.subject.file.encode()] for names in (own, listed))
    return "MORE" if set(listed) - set(own) else None if listed == own else "LESS"


def check_target(facts, body):
    return None if facts.subject.anon.encode() in body else "OTHER"


def check_self(facts, body):
    return None if body == facts.body("self") else "MORE"
