"""What pagefs is measured against: the kernel's own page-types, and a program that only issues the reads."""

import pathlib
import subprocess
import tempfile

CHECKOUT = pathlib.Path(__file__).parents[1]
BUILT = CHECKOUT / ".build" / "bench"
ARCHIVE = "/usr/src/linux-source-6.12.tar.xz"
SOURCE = "linux-source-6.12/tools"


def build():
    """Builds both, page-types once; returns the paths of page-types and floor."""
    BUILT.mkdir(parents=True, exist_ok=True)
    page_types, floor = BUILT / "page-types", BUILT / "floor"
    if not page_types.exists():
        with tempfile.TemporaryDirectory(prefix="pagefs-bench-") as folder:
            members = [f"{SOURCE}/{name}" for name in ("mm", "lib/api", "include")]
            subprocess.run(["tar", "-xf", ARCHIVE, "-C", folder, *members, "linux-source-6.12/include/uapi"], check=True)
            tools = pathlib.Path(folder) / SOURCE
            source = tools / "mm/page-types.c"
            # Without this it gives up after 10,240 mappings.
            source.write_text(source.read_text().replace("#define MAX_VMAS\t10240", "#define MAX_VMAS\t(1 << 17)"))
            # Static: it would else map libc itself, and count that.
            command = ["gcc", "-O2", "-static", "-w", "-I../lib", "-I../lib/api", "-I../lib/api/fs", "-I../include"]
            files = ["page-types.c", "../lib/api/fs/fs.c", "../lib/api/debug.c"]
            subprocess.run([*command, "-o", page_types, *files], cwd=tools / "mm", check=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-o", floor, CHECKOUT / "Benchmarks/floor.c"], check=True)
    return str(page_types), str(floor)
