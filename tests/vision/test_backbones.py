import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cartolina.errors import InputError, UnknownName
from cartolina.vision import onnx_backbone
from cartolina.vision.backbones import backbone, load_backbone
from cartolina.vision.onnx_backbone import write_card
from cartolina.vision.preprocessing import Preprocessing

onnx = pytest.importorskip("onnx")


def model_file(path, shape=("batch", 3, 32, 32)):
    """An ONNX file whose two outputs are twice the mean of each channel, and something else."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=0),
            helper.make_node("Add", ["mean", "mean"], ["twice"]),
            helper.make_node("Relu", ["mean"], ["other"]),
        ],
        "twice the mean",
        [helper.make_tensor_value_info("x", floats, shape)],
        [helper.make_tensor_value_info(name, floats, None) for name in ("twice", "other")],
        [helper.make_tensor("axes", onnx.TensorProto.INT64, [2], [2, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)
    return path


def pixels(count=5, size=32):
    return np.random.default_rng(0).standard_normal((count, 3, size, size)).astype(np.float32)


def test_an_onnx_file(tmp_path):
    found = backbone(f"onnx:{model_file(tmp_path / 'm.onnx')}")
    assert found.shape == (3,)
    assert found.preprocessing.size == 32
    assert found.name == f"onnx:{tmp_path / 'm.onnx'}"
    np.testing.assert_allclose(found(pixels()), 2 * pixels().mean((2, 3)), atol=1e-6)


def test_many_threads_may_call_at_once(tmp_path):
    found = backbone(f"onnx:{model_file(tmp_path / 'm.onnx')}")
    batches = [pixels(n) for n in range(1, 20)]
    with ThreadPoolExecutor(4) as pool:
        for batch, got in zip(batches, pool.map(found, batches), strict=True):
            np.testing.assert_allclose(got, 2 * batch.mean((2, 3)), atol=1e-6)


def test_a_free_size_must_be_said(tmp_path):
    path = model_file(tmp_path / "m.onnx", ("batch", 3, "h", "w"))
    with pytest.raises(InputError, match="@SIZE"):
        backbone(f"onnx:{path}")
    assert backbone(f"onnx:{path}@48").preprocessing.size == 48


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (("b", 3, 32, 48), "one square size"),
        (("b", 1, 32, 32), r"expected \(B, 3, H, W\)"),
        ((8, 3, 32, 32), "exactly 8 pictures"),
    ],
)
def test_inputs_that_do_not_fit(tmp_path, shape, message):
    with pytest.raises(InputError, match=message):
        backbone(f"onnx:{model_file(tmp_path / 'm.onnx', shape)}")


def test_another_size_than_the_file_has(tmp_path):
    with pytest.raises(InputError, match="@64 was asked for"):
        backbone(f"onnx:{model_file(tmp_path / 'm.onnx')}@64")


def test_a_batch_of_one_is_served_one_by_one(tmp_path):
    assert backbone(f"onnx:{model_file(tmp_path / 'm.onnx', (1, 3, 32, 32))}").batch_size == 1


def test_files_that_are_no_models(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"not a model")
    with pytest.raises(InputError, match="ONNX Runtime can open"):
        backbone(f"onnx:{tmp_path / 'm.onnx'}")
    with pytest.raises(InputError, match="no ONNX file"):
        backbone(f"onnx:{tmp_path / 'none.onnx'}")
    model_file(tmp_path / "big.onnx")
    (tmp_path / "big.onnx.data").write_bytes(b"weights")
    with pytest.raises(InputError, match="second file"):
        backbone(f"onnx:{tmp_path / 'big.onnx'}")


def test_saved_and_loaded(tmp_path):
    first = backbone(f"onnx:{model_file(tmp_path / 'm.onnx')}")
    first.save(tmp_path / "a" / "b")
    for again in (load_backbone(tmp_path / "a" / "b"), backbone(f"onnx:{tmp_path / 'a' / 'b'}")):
        assert (again.name, again.shape, again.fingerprint) == (first.name, (3,), first.fingerprint)
        assert again.preprocessing == first.preprocessing
        np.testing.assert_array_equal(again(pixels()), first(pixels()))
    again.save(tmp_path / "a" / "b")  # over itself
    assert load_backbone(tmp_path / "a" / "b").shape == (3,)


def test_the_fingerprint_is_of_weights_and_preprocessing(tmp_path):
    free = model_file(tmp_path / "m.onnx", ("batch", 3, "h", "w"))
    small, large = (backbone(f"onnx:{free}@{size}").fingerprint for size in (32, 48))
    assert small != large
    assert small == backbone(f"onnx:{free}@32").fingerprint
    assert small != backbone(f"onnx:{model_file(tmp_path / 'n.onnx')}").fingerprint


def test_folders_that_are_no_backbones(tmp_path):
    with pytest.raises(InputError, match="not a saved backbone"):
        load_backbone(tmp_path)
    write_card(tmp_path, "x", (3,), Preprocessing(32), "f")
    with pytest.raises(InputError, match="ONNX Runtime can open"):
        load_backbone(tmp_path)
    card = tmp_path / "backbone.json"
    card.write_text(card.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(InputError, match="format 2"):
        load_backbone(tmp_path)
    card.write_text("{}")
    with pytest.raises(InputError, match="not a saved backbone"):
        load_backbone(tmp_path)


def test_names_that_are_not_known():
    with pytest.raises(UnknownName, match="did you mean 'efficientnet-lite0'"):
        backbone("efficientnet-lte0")
    with pytest.raises(UnknownName, match="torchvision:…"):
        backbone("keras:resnet50")
    with pytest.raises(InputError, match="expected timm:NAME"):
        backbone("timm:")
    with pytest.raises(InputError, match="'auto', 'cpu' or 'cuda'"):
        backbone("efficientnet-lite0", device="tpu")


def test_cuda_without_the_runtime_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_backbone, "has_cuda", lambda: False)
    with pytest.raises(InputError, match="onnxruntime-gpu"):
        backbone(f"onnx:{model_file(tmp_path / 'm.onnx')}", device="cuda")


def test_loading_a_saved_backbone_imports_no_torch(tmp_path):
    backbone(f"onnx:{model_file(tmp_path / 'm.onnx')}").save(tmp_path / "saved")
    code = (
        "import sys; from pathlib import Path; from cartolina.vision import load_backbone, open_rgb\n"
        "found = load_backbone(Path(sys.argv[1])); print(found.shape)\n"
        "assert not {'torch', 'transformers', 'onnx'} & set(sys.modules), 'heavy'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "saved")], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("(3,)\n", "")
