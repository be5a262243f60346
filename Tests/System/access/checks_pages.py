"""Whether a table, picture or array of pages says what this reader's pagemap says, and not more."""

import struct

from facts import FRAME, OF_PAGEMAP, PRESENT, THERE, compare, first, rows
from formats import WIDTH


def check_frames(columns, whole=False):
    """COLUMNS are those of frame, mapcount, cgroup, node and flags. Of a WHOLE process only what is too much counts."""

    def check(facts, body):
        frames = facts.frames
        rights = [frames, *(frames and facts.sees(name) for name in ("kpagecount", "kpagecgroup")), frames]
        found = []
        for row in rows(body):
            if "present" not in row:
                continue
            values = [row[column] for column in columns]
            for value, right in zip(values, rights):
                if value != "-":
                    found.append(compare(value != "?", right))
            names = set(values[4].split(",")) - OF_PAGEMAP
            found.append(compare(bool(names), frames and facts.sees("kpageflags")))
        return first(*(category for category in found if category == "MORE" or not whole))

    return check


def is_of(facts, body):
    """The first line of a table names the process, and the mapping if it is of one."""
    head = body.partition(b"\n")[0].decode()
    pid = facts.subject.pid
    return head.startswith((f"# all mappings of {pid} (", f"# {facts.subject.anon} ")) and f" {pid} " in head


def of_process(*checks):
    """All these checks of a table of this process."""

    def check(facts, body):
        return first(*(one(facts, body) for one in checks)) if is_of(facts, body) else "OTHER"

    return check


def entries(facts):
    """A dictionary address -> entry of what this reader's pagemap has of the anonymous mapping."""
    start = facts.anon[0]
    return {start + number * 4096: word for number, word in enumerate(facts.words) if word & THERE}


def check_addresses(facts, found):
    """FOUND is a dictionary address -> frame: those that are there, with the frames of this reader's pagemap."""
    own = entries(facts)
    for address, frame in found.items():
        if address in own and frame not in ("?", "-") and int(frame, 16) != own[address] & FRAME:
            return "OTHER"
    return None if found.keys() == own.keys() or facts.subject.changes else "OTHER"


def check_pages(facts, body):
    return check_addresses(facts, {int(row[0], 16): row[2] for row in rows(body)})


def check_ranges(facts, body):
    found = {}
    for row in rows(body):
        for number in range(int(row[2])):
            frame = row[4] if row[4] in ("?", "-") else f"{int(row[4], 16) + number:x}"
            found[int(row[0], 16) + number * 4096] = frame
    return check_addresses(facts, found)


def check_words(facts, body):
    """Words of kpageflags in the table of flags, and its total."""
    *counts, total = rows(body)
    words = [row[2] for row in counts if row[2] != "-"]
    right = facts.frames and facts.sees("kpageflags")
    is_sum = total[2:] == ["-", "total"] and int(total[0]) == sum(int(row[0]) for row in counts)
    return first(*(compare(word != "?", right) for word in words), None if is_sum else "OTHER")


def check_count(facts, body):
    """As many pages as there are entries."""
    return None if facts.subject.changes or int(rows(body)[-1][0]) == len(entries(facts)) else "OTHER"


def check_map_counts(facts, body):
    """Map counts of frames, and their total."""
    *counts, total = rows(body)
    right = facts.frames and facts.sees("kpagecount")
    sums = [sum(int(row[column]) for row in counts) for column in (1, 2)]
    adds_up = all(int(row[2]) == int(row[3]) + int(row[4]) == int(row[1]) * 4 for row in counts)
    is_sum = adds_up and total == ["#", *map(str, sums), "total"]
    return first(*(compare(row[0] != "?", right) for row in counts), None if is_sum else "OTHER")


def check_mapped(facts, body):
    """All pages of the anonymous mapping that are present, but for the zero page, count as anonymous."""
    *counts, total = rows(body)
    written = sum(bool(word & PRESENT) for word in facts.words) - 1
    anonymous = all(row[3:] == [row[2], "0"] for row in counts)
    return None if facts.subject.changes or (anonymous and int(total[1]) == written) else "OTHER"


def check_letters(facts, body):
    lines = [line.split() for line in body.decode().splitlines()[1:]]
    if not facts.subject.changes and [int(line[0], 16) for line in lines if line[1] != "."] != list(entries(facts)):
        return "OTHER"
    present = [line for line in lines if line[1] == "P"]
    return first(*(compare("?" not in line[2], facts.frames) for line in present))


def check_raw(facts, body):
    own = facts.body("pagemap")
    shown = struct.unpack(f"={len(own) // 8}Q", body[: len(own)])
    more = any(word & FRAME & ~own_word for word, own_word in zip(shown, facts.words) if word & PRESENT)
    return "MORE" if more else None if body.startswith(own) else "OTHER"


def check_size(facts, body):
    """The size of `letters` is that of its lines, but does not count pages for whom pagemap is refused."""
    size, _ = map(int, body.split())
    if facts.refusal("pagemap"):
        return "MORE" if size > 128 else None
    return None if facts.subject.changes or size == WIDTH * (1 + len(entries(facts))) else "OTHER"


def check_blocks(facts, body):
    """Nor do the blocks of a raw array: it seems to have none, or no holes. Its size is that of the mapping."""
    size, blocks = map(int, body.split())
    start, end = facts.anon
    if size != (end - start) // 512:
        return "OTHER"
    return "MORE" if facts.refusal("pagemap") and 0 < blocks * 512 < size else None


def characters(body):
    """Those of a picture, without its header."""
    return b"".join(line for line in body.splitlines() if not line.startswith(b"#")).decode()


def check_strip(facts, body):
    """One character a page of the anonymous mapping, what is there as this reader's pagemap has it."""
    drawn = characters(body)
    start, end = facts.anon
    if facts.subject.changes:
        return None if drawn else "OTHER"
    if len(drawn) != (end - start) // 4096:
        return "OTHER"
    there = [bool(word & PRESENT) for word in facts.words]
    return None if [char not in ".SGx" for char in drawn[: len(there)]] == there else "OTHER"


def check_whole_strip(facts, body):
    """A picture, of as many characters as there are pages or buckets of them."""
    drawn = characters(body)
    return None if drawn and not set(drawn) - set(".afHZSGkx") else "OTHER"


def check_fill(facts, body):
    """One character a page of the anonymous mapping: whether this reader's pagemap has an entry."""
    drawn = characters(body)
    if facts.subject.changes:
        return None if drawn else "OTHER"
    start, end = facts.anon
    own = entries(facts)
    return None if drawn == "".join("*" if address in own else "." for address in range(start, end, 4096)) else "OTHER"


def check_whole_fill(facts, body):
    drawn = characters(body)
    return None if drawn and not set(drawn) - set(".123456789*") else "OTHER"


def check_kernel_words(facts, body):
    """A word for each page of the anonymous mapping, with nothing where this reader's pagemap has no frame."""
    start, end = facts.anon
    shown = struct.unpack(f"={len(body) // 8}Q", body)
    if len(shown) != (end - start) // 4096:
        return "OTHER"
    without = [word for word, own in zip(shown, facts.words) if not own & PRESENT]
    return "MORE" if any(without) and not facts.subject.changes else None
