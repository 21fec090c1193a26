"""Who may import whom, what is imported when, and what no file may hold."""

import ast
import itertools
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from lakehouse.contracts import contract, contracts

ROOT = Path(__file__).parents[1]
HEAVY = {
    "faker",
    "scipy",
    "sklearn",
    "matplotlib",
    "pandas",
    "great_expectations",
    "lifetimes",
    "IPython",
}
LIBRARIES = {"polars", "duckdb", "deltalake", "dagster", "dataframely", "pydantic", "pyarrow"}
BINARY = {".png", ".jpg", ".ico", ".parquet", ".zst", ".gz", ".zip", ".duckdb"}


def sources(*folders: str) -> list[Path]:
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module(path: Path) -> str:
    return named(path).removesuffix(".py").replace("/", ".")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports(path: Path) -> set[str]:
    return {name for node in ast.walk(tree(path)) for name in imported(node)}


@cache
def imports_at_load(path: Path) -> set[str]:
    """What importing the module imports: not what stands in functions or under TYPE_CHECKING."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree(path).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        found.update(imported(node))
        waiting.extend(ast.iter_child_nodes(node))
    return found


def imports_outside_functions(path: Path) -> set[str]:
    """What importing the module imports, and what stands under TYPE_CHECKING."""
    inside = {
        id(node)
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    outside = (node for node in ast.walk(tree(path)) if id(node) not in inside)
    return {name for node in outside for name in imported(node)}


def within(name: str, packages: set[str]) -> bool:
    return any(name == p or name.startswith(f"{p}.") for p in packages)


def holds(package: str, allowed: set[str]) -> bool:
    """Whether it is only on the way to what is allowed; what it gives itself has its own name."""
    return any(name.startswith(f"{package}.") for name in allowed)


LIBRARY = sources("lakehouse")
SIMULATOR = "lakehouse/simulate"
BELOW = {"lakehouse.contracts", "lakehouse.regulation", "lakehouse.errors", "lakehouse.texts"}
KERNEL, FAULTS = "lakehouse.simulate.kernel", "lakehouse.simulate.faults"
DOMAINS = sorted(
    p.parent.name
    for p in (ROOT / "lakehouse/simulate").glob("*/__init__.py")
    if p.parent.name not in ("kernel", "faults", "labels")
)
PRODUCT = sources("lakehouse", "igaming_assets")
OWN = {"lakehouse"}
BASE = {
    "errors",
    "closing",
    "contracts",
    "locks",
    "outputs",
    "paths",
    "prefetch",
    "private_files",
    "texts",
}
ABOVE = {"settings", "regulation", *BASE}
ROOMS = {
    "contracts": {"errors"},
    "regulation": {"contracts", "errors", "texts"},
    "privacy": {"settings", *BASE},
    "storage": ABOVE,
    "silver": {"regulation", "storage", *BASE},
    "gold": {"detection", "silver.sessions", *ABOVE},
    "detection": ABOVE,
    "simulate": {"regulation", "privacy", *BASE},
    "ingest": {"silver", "storage", *ABOVE},
    "live": {
        "detection",
        "gold",
        "ingest.streams",
        "pipeline",
        "privacy",
        "silver",
        "storage",
        *ABOVE,
    },
    "pipeline": {"gold", "privacy", "silver", "storage", *ABOVE},
    "quality": {"gold", "ingest", "pipeline", "storage", *ABOVE},
    "compliance": {"gold", "ingest", "pipeline", "storage", *ABOVE},
    "serve": {"cli", "compliance", "gold", "ingest", "privacy", "quality", "storage", *ABOVE},
}
"""Room of the library → what it may import beside itself."""
ARROWS = [
    (f"lakehouse/{room}", {f"lakehouse.{a}" for a in {room, *allowed}})
    for room, allowed in ROOMS.items()
]
BESIDE = {
    "contracts": {"contracts.alert_shape", "contracts.columns", "contracts.registry", "errors"},
    "gold": {
        "gold.marts",
        "gold.money",
        "gold.shape",
        "gold.windows",
        "detection",
        "silver.sessions",
        *ABOVE,
    },
}
"""What the domains of a room share. A domain never imports another."""
ARROWS += [
    (f"lakehouse/{room}/{d.parent.name}", {f"lakehouse.{a}" for a in beside} | {module(d.parent)})
    for room, beside in BESIDE.items()
    for d in (ROOT / "lakehouse" / room).glob("*/__init__.py")
]
ARROWS += [
    ("lakehouse/simulate/kernel", BELOW | {KERNEL}),
    ("lakehouse/simulate/faults", BELOW | {KERNEL, FAULTS}),
    *(
        (f"lakehouse/simulate/{d}", BELOW | {KERNEL, FAULTS, f"lakehouse.simulate.{d}"})
        for d in DOMAINS
    ),
]


def test_every_room_has_its_arrows() -> None:
    rooms = {p.parent.name for p in (ROOT / "lakehouse").glob("*/__init__.py")}
    assert rooms - {"commands"} == ROOMS.keys()


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "allowed"), ARROWS)
def test_a_package_imports_only(folder: str, allowed: set[str]) -> None:
    wrong = [
        f"{named(path)}: {name}"
        for path in sources(folder)
        for name in imports(path)
        if within(name, OWN) and not within(name, allowed) and not holds(name, allowed)
    ]
    assert wrong == []


def test_the_simulator_has_no_circle() -> None:
    """What is imported for types alone counts too: who reads a module reads those with it."""
    assert circles(SIMULATOR) == []


def circles(folder: str) -> list[str]:
    paths = {module(p): p for p in sources(folder)}
    graph = {
        name: {n for n in imports_outside_functions(path) if n in paths and n != name}
        for name, path in paths.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_only_storage_knows_delta() -> None:
    wrong = [
        named(path)
        for path in PRODUCT
        if any(within(name, {"deltalake"}) for name in imports(path))
        and "lakehouse/storage" not in named(path)
    ]
    assert wrong == []


def test_only_streams_know_kafka() -> None:
    wrong = [
        named(path)
        for path in PRODUCT
        if any(within(name, {"confluent_kafka"}) for name in imports(path))
        and "lakehouse/ingest/streams" not in named(path)
    ]
    assert wrong == []


FRAMED = ("http", "pages", "signin")
STARTED = {"fastapi", "uvicorn"}


def test_only_http_and_the_page_know_their_framework() -> None:
    """And the command that starts it knows what it starts."""
    packages = {"fastapi", "nicegui", "starlette", "uvicorn", "prometheus_client"}
    wrong = [
        f"{named(path)}: {name}"
        for path in PRODUCT
        for name in imports(path)
        if within(name, packages)
        and not named(path).startswith(tuple(f"lakehouse/serve/{r}/" for r in FRAMED))
        and not (named(path) == "lakehouse/commands/serve.py" and within(name, STARTED))
    ]
    assert wrong == []


def test_the_library_is_below_the_assets_and_only_commands_start_them() -> None:
    above = [named(p) for p in LIBRARY if any(within(n, {"igaming_assets"}) for n in imports(p))]
    assert [p for p in above if not p.startswith("lakehouse/commands/")] == []


def test_nothing_heavy_is_imported_at_load() -> None:
    wrong = [f"{named(p)}: {n}" for p in PRODUCT for n in imports_at_load(p) if within(n, HEAVY)]
    assert wrong == []


def test_commands_import_nothing_but_the_command_line_at_load() -> None:
    light = {"lakehouse.commands", "lakehouse.errors", "lakehouse.outputs"}
    wrong = [
        f"{named(path)}: {name}"
        for path in sources("lakehouse/commands")
        for name in imports_at_load(path)
        if within(name, HEAVY | LIBRARIES | {"igaming_assets"})
        or (within(name, OWN) and name != "lakehouse" and not within(name, light))
    ]
    assert wrong == []


TRUTH = re.compile(r"""["'](truth|plants)["']|operations\.plants|truth[/.]plants""")


DOWNSTREAM = (
    "silver", "gold", "detection", "regulation", "serve", "ingest", "compliance", "live",
    "pipeline",
)  # fmt: skip
NAMES_LAYERS = {f"lakehouse/serve/dictionary/{n}.py" for n in ("documents", "describe")}
NAMES_LAYERS |= {"lakehouse/gold/marts.py", "lakehouse/pipeline/marts.py"}
SCORING = {
    "lakehouse/gold/detection/detection_quality.py",
    "lakehouse/detection/scoring/definitions.py",
    "lakehouse/detection/scoring/quality.py",
    "lakehouse/gold/shop/fraud_quality.py",
    "lakehouse/detection/fraud/quality.py",
}


def test_nothing_downstream_reads_what_was_planted() -> None:
    paths = sources(*(f"lakehouse/{package}" for package in DOWNSTREAM))
    found = {named(p) for p in paths if TRUTH.search(p.read_text(encoding="utf-8"))}
    assert found - NAMES_LAYERS - SCORING == set()


def test_nothing_downstream_names_what_only_the_truth_says() -> None:
    """Its columns that no other table has: whose case it is, of what rule, and whether it is one.
    A strength and the key of a row are words of others too."""
    said = set(contract("plants").columns)
    for c in contracts().values():
        said -= set(c.columns) if c.layer != "truth" else {"intensity", "row_key"}
    assert said == {"plant_id", "is_look_alike", "expected_rule"}
    paths = [p for p in sources(*(f"lakehouse/{d}" for d in DOWNSTREAM)) if named(p) not in SCORING]
    words = {
        f"{named(p)}: {node.value}"
        for p in paths
        for node in ast.walk(tree(p))
        if isinstance(node, ast.Constant) and node.value in said
    }
    assert words == set()


CLOCKS = re.compile(
    r"\b(datetime\.(now|utcnow|today)|date\.today|dt\.date\.today|time\.time)\(|random\.seed\("
)


def test_the_library_reads_no_clock() -> None:
    library = [p for p in LIBRARY if "commands" not in p.parts]
    assert [named(p) for p in library if CLOCKS.search(p.read_text(encoding="utf-8"))] == []


def lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def test_files_and_functions_stay_small() -> None:
    long = [f"{named(p)}: {lines(p)} lines" for p in PRODUCT if lines(p) > 450]
    for path in PRODUCT:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > 60:
                    long.append(f"{named(path)}: {node.name} has {length} lines")
    assert long == []


def tracked() -> list[Path]:
    """Files of the project; where git does not answer (another user's clone, an archive), all
    that lie in folders which the project names."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = [ROOT / name for name in listed.stdout.split("\0") if name]
    if listed.returncode:
        inside = [p for d in ROOT.iterdir() if d.name in FOLDERS for p in d.rglob("*")]
        found = [p for p in (*ROOT.iterdir(), *inside) if "__pycache__" not in p.parts]
    return [p for p in found if p.is_file() and p.suffix not in BINARY]


FOLDERS = {
    "lakehouse",
    "igaming_assets",
    "benchmarks",
    "tests",
    "docs",
    "examples",
    "notebooks",
    ".ci",
    ".github",
}


def test_git_or_not_the_same_files_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    known = set(tracked())
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert {p.parent for p in known} <= {p.parent for p in tracked()}
    assert len(known) > 300


# Spelled in two, so that this file does not hold them.
HOSTS = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "deb.debian" + ".org"]
MACHINE = re.compile(r"(?<![\w.])/(?:wor" + r"k|home|root|far" + r"m)/[\w./-]+")


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    wrong = []
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="ignore")
        wrong += [f"{named(path)}: {host}" for host in HOSTS if host in text]
        wrong += [f"{named(path)}: {m}" for m in MACHINE.findall(text)]
    assert wrong == []


def documented(document: str) -> set[str]:
    """Folders of the tree that a document draws: indented names that end in a slash."""
    found, above = set(), [""]
    for line in (ROOT / document).read_text(encoding="utf-8").splitlines():
        indent = len(line) - len(line.lstrip())
        if indent < 4 or not re.match(r" +[a-z_]+/(?: |$)", line):
            continue
        names = itertools.takewhile(lambda word: word.endswith("/"), line.split())
        depth = indent // 2 - 2
        above[depth + 1 :] = [above[depth] + name for name in names]
        found.update(above[depth + 1 :])
        del above[depth + 2 :]
    return {name.rstrip("/") for name in found}


@pytest.mark.parametrize(("document", "depth"), [("README.md", 2), ("CONTRIBUTING.md", 3)])
def test_a_document_draws_the_folders_that_there_are(document: str, depth: int) -> None:
    packages = {
        named(p.parent)
        for top in ("lakehouse", "igaming_assets", "benchmarks")
        for p in (ROOT / top).rglob("__init__.py")
    }
    shallow = {
        p for p in packages if len(p.split("/")) <= depth and not p.startswith("benchmarks/")
    }
    wanted = shallow if depth == 2 else packages
    assert documented(document) == wanted | {"docs", "examples", "notebooks", "tests"}


def test_every_query_is_packaged() -> None:
    queries = {p.suffix for p in (ROOT / "lakehouse/serve/sql/queries").iterdir()}
    assert queries == {".sql"}
    assert "serve/sql/queries/*.sql" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_what_lies_beside_the_code_is_installed_with_it() -> None:
    """A template or a query that no pattern names is there in a checkout and nowhere else."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]
    left = [
        named(path)
        for package in ("lakehouse", "igaming_assets")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
        if not any(path.relative_to(ROOT / package).match(p) for p in patterns[package])
    ]
    assert left == []
