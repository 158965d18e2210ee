"""Generate `tallystick/v1` from `proto/`, or check that it is current and that the protos pass buf's rules.

`python -m tools.proto` writes; `python -m tools.proto --check` changes nothing and exits 1 with what differs;
`python -m tools.proto --release` keeps the protos of today as those that no later change may break.
"""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import google.type

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GENERATED = ROOT / "tallystick" / "v1"
#: What `buf breaking` compares with: the descriptors of the last release.
RELEASED = PROTO / "released.binpb"


def _includes() -> list[str]:
    common = Path(next(iter(google.type.__path__))).parents[1]
    return [f"-I{PROTO}", f"-I{common}", f"-I{files('grpc_tools') / '_proto'}"]


def _protoc(*options: str) -> None:
    sources = sorted(str(path) for path in PROTO.rglob("*.proto"))
    env = {"PATH": str(Path(sys.executable).parent) + ":/usr/bin:/bin"}
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *_includes(), *options, *sources], check=True, env=env)


def generate(out: Path) -> Path:
    """Write the package `tallystick.v1` under `out`; returns its folder."""
    _protoc(
        "--mypy_out=quiet:" + str(out),
        "--mypy_grpc_out=quiet:" + str(out),
        f"--python_out={out}",
        f"--grpc_python_out={out}",
    )
    package = out / "tallystick" / "v1"
    for path in package.glob("*_pb2_grpc.py"):
        if "Servicer" not in path.read_text():
            path.unlink()
            path.with_suffix(".pyi").unlink()
    (package / "__init__.py").write_text('"""Generated from proto/tallystick/v1 by `make proto`; never edited."""\n')
    return package


def write_image(path: Path) -> None:
    """Write the descriptors with their comments, the form in which buf reads protos without a download."""
    _protoc("--include_imports", "--include_source_info", f"--descriptor_set_out={path}")


def stale(fresh: Path) -> list[str]:
    """Names of generated files that are missing, left over or different."""
    names = {path.name for path in [*fresh.iterdir(), *GENERATED.glob("*.py*")]}
    _, mismatch, errors = filecmp.cmpfiles(fresh, GENERATED, sorted(names), shallow=False)
    return sorted(mismatch + errors)


def _buf(*arguments: str) -> int:
    buf = Path(sys.executable).with_name("buf")
    return subprocess.run([buf, *arguments], cwd=ROOT, check=False).returncode


def check() -> int:
    """Zero when the generated code is current and buf has nothing to say."""
    with tempfile.TemporaryDirectory() as folder:
        old = stale(generate(Path(folder)))
        if old:
            print(f"tallystick/v1 is not what proto/ says ({', '.join(old)}). Run: make proto")
            return 1
        image = Path(folder) / "image.binpb"
        write_image(image)
        failed = _buf("lint", str(image))
        if RELEASED.exists():
            failed |= _buf("breaking", str(image), "--against", str(RELEASED))
        return failed


def main() -> int:
    """Entry point of `python -m tools.proto`."""
    if sys.argv[1:] == ["--check"]:
        return check()
    if sys.argv[1:] == ["--release"]:
        _protoc("--include_imports", f"--descriptor_set_out={RELEASED}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        package = generate(Path(folder))
        shutil.rmtree(GENERATED, ignore_errors=True)
        shutil.copytree(package, GENERATED)
    print(f"wrote {len(list(GENERATED.glob('*.py')))} modules to tallystick/v1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
