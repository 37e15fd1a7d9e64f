"""Figures of the house: lengths, docstrings, annotations, circles and arrows that run back up.

    python .ci/house.py [--repo=FOLDER]

Counts the files that git knows: the source (``cunet_tf``, ``trainers``, ``export``) and ``tests``. Lengths of
files leave out ``__init__.py``, docstrings are those of public classes, functions and methods. Needs the
standard library only, so that a commit can be measured without its environment.
"""

import argparse
import ast
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parents[1]
PACKAGE = "cunet_tf"
FOLDERS = (PACKAGE, "trainers", "export")  # the second and third are installed as parts of the first
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    """A source file: its path, its name in the installed package, its lines and its syntax tree."""

    file: str
    name: str
    lines: int
    tree: ast.Module


def main() -> None:
    """Print the table, and below it every circle and every arrow that runs back up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", type=Path, default=HERE, help="checkout to measure; this one by default")
    repo = parser.parse_args().repo
    modules = [read(repo, file) for file in tracked(repo, *FOLDERS)]
    tests = sum(count_lines(repo / file) for file in tracked(repo, "tests"))
    edges = imports(modules)
    found, upward = circles(edges), arrows_up(edges, floors(repo))
    print(table(modules, tests, len(found), len(upward)))
    for circle in found:
        print(f"circle: {' <-> '.join(circle)}")
    for importer, imported in upward:
        print(f"arrow up: {importer} -> {imported}")


def tracked(repo: Path, *folders: str) -> list[str]:
    """Python files that git knows below some folders."""
    command = ["git", "-C", str(repo), "ls-files", "--", *(f"{folder}/*.py" for folder in folders)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def read(repo: Path, file: str) -> Module:
    """Parse a file; ``trainers/fit.py`` is called ``cunet_tf.trainers.fit`` here, at every commit."""
    parts = Path(file).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return Module(file, installed(".".join(parts)), count_lines(repo / file), ast.parse((repo / file).read_text()))


def installed(name: str) -> str:
    """A module's name in the installed package, also of one that an older commit had at top level."""
    return f"{PACKAGE}.{name}" if name.split(".")[0] in FOLDERS[1:] else name


def count_lines(file: Path) -> int:
    """Lines of a file."""
    return len(file.read_text().splitlines())


def table(modules: list[Module], tests: int, circle_count: int, arrow_count: int) -> str:
    """One row of Markdown under its head."""
    lengths = [module.lines for module in modules if not module.file.endswith("__init__.py")]
    functions = [node.end_lineno - node.lineno + 1 for module in modules for node in ast.walk(module.tree)
                 if isinstance(node, FUNCTIONS)]  # fmt: skip
    documented = [bool(ast.get_docstring(node)) for module in modules for node in public(module.tree)]
    bare = [isinstance(node, ast.Name) and node.id == "Any" for module in modules for node in annotations(module.tree)]
    cells = {
        "files": len(modules),
        "file median / p90 / longest": spread(lengths),
        "function p50 / p90 / max": spread(functions),
        "public docstrings": percent(documented),
        "bare `Any` among annotations": percent(bare),
        "tests / source": f"{tests / sum(module.lines for module in modules):.2f}",
        "circles": circle_count,
        "arrows up": arrow_count,
    }
    rows = (cells, ["--"] * len(cells), cells.values())
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def spread(values: list[int]) -> str:
    """Median, 90th percentile and largest."""
    high = sorted(values)[round(0.9 * (len(values) - 1))]
    return f"{median(values):.0f} / {high} / {max(values)}"


def percent(marks: list[bool]) -> str:
    """Share of true marks."""
    return f"{100 * sum(marks) / max(len(marks), 1):.0f} %"


def public(node: ast.Module | ast.ClassDef) -> Iterator[ast.stmt]:
    """Public classes, functions and methods of a module, not what is inside functions."""
    for child in node.body:
        if isinstance(child, (ast.ClassDef, *FUNCTIONS)) and not child.name.startswith("_"):
            yield child
            yield from public(child) if isinstance(child, ast.ClassDef) else ()


def annotations(tree: ast.Module) -> Iterator[ast.expr]:
    """Annotations of arguments, results and variables."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation:
            yield node.annotation
        elif isinstance(node, FUNCTIONS) and node.returns:
            yield node.returns


def imports(modules: list[Module]) -> dict[str, set[str]]:
    """Module -> modules of ours that it imports, also inside functions or for types only."""
    names = {module.name for module in modules}
    edges: dict[str, set[str]] = {name: set() for name in names}
    for module in modules:
        for node in ast.walk(module.tree):
            wanted = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                inner = [installed(f"{node.module}.{alias.name}") for alias in node.names]
                wanted = [name if name in names else node.module for name in inner]
            edges[module.name] |= {installed(name) for name in wanted} & names - {module.name}
    return edges


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules each of which imports the others, directly or not."""
    reach = {name: _reachable(name, edges) for name in edges}
    groups = {tuple(sorted(other for other in reach[name] if name in reach[other])) for name in edges}
    return sorted(list(group) for group in groups if group)


def _reachable(start: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += edges[name]
    return seen


def floors(repo: Path) -> dict[str, int]:
    """Part of the package -> its floor, 0 at the top: import-linter's layers, ours for a commit without any."""
    for folder in (repo, HERE):
        tools = tomllib.loads((folder / "pyproject.toml").read_text()).get("tool", {})
        contracts = tools.get("importlinter", {}).get("contracts", [])
        layers = next((contract["layers"] for contract in contracts if contract["type"] == "layers"), [])
        if layers:
            return {part.strip(): floor for floor, layer in enumerate(layers) for part in layer.split("|")}
    return {}


def arrows_up(edges: dict[str, set[str]], floor_of: dict[str, int]) -> list[tuple[str, str]]:
    """Imports of a higher floor; modules that no layer names are left out."""

    def floor(name: str) -> int | None:
        return floor_of.get(name.removeprefix(f"{PACKAGE}.").split(".")[0])

    pairs = [(importer, imported) for importer in sorted(edges) for imported in sorted(edges[importer])]
    known = [(pair, floor(pair[0]), floor(pair[1])) for pair in pairs]
    return [pair for pair, lower, upper in known if lower is not None and upper is not None and upper < lower]


if __name__ == "__main__":
    main()
