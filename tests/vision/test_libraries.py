import importlib.util
import json
import sys
import warnings

import numpy as np
import pytest

from cartolina.errors import CartolinaError, InputError, MissingPackage, UnknownName
from cartolina.torch_libraries import import_torchvision, import_transformers
from cartolina.vision import libraries
from cartolina.vision.backbones import backbone, load_backbone
from cartolina.vision.preprocessing import Preprocessing
from cartolina.vision.torch_backbone import TorchBackbone, fill, read_weights

torch = pytest.importorskip("torch")


def pixels(count, size):
    return np.random.default_rng(count).standard_normal((count, 3, size, size)).astype(np.float32)


@pytest.fixture(scope="module")
def torchvision():
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed")
    return import_torchvision("this test")


# --- torchvision


@pytest.mark.parametrize(
    ("model", "width"), [("resnet18", 512), ("googlenet", 1024), ("mobilenet_v3_small", 1024)]
)
def test_torchvision_before_the_last_layer(torchvision, model, width):
    found = backbone(f"torchvision:{model}:random@64", device="cpu")
    assert found.shape == (width,)
    assert found(pixels(2, 64)).shape == (2, width)
    assert found.preprocessing.resize == "crop"


def test_torchvisions_own_preprocessing(torchvision):
    recipe = backbone("torchvision:resnet18:random", device="cpu").preprocessing
    assert (recipe.size, recipe.interpolation, recipe.crop_fraction) == (224, "bilinear", 0.875)


def test_torchvision_weights_from_a_file_and_from_the_hub_cache(torchvision, tmp_path, monkeypatch):
    torch.manual_seed(1)
    original = torchvision.models.resnet18(weights=None).eval()
    torch.save(original.state_dict(), tmp_path / "w.pth")
    found = backbone(f"torchvision:resnet18:{tmp_path / 'w.pth'}@64", device="cpu")
    with torch.inference_mode():
        logits = original(torch.from_numpy(pixels(2, 64))).numpy()
    rebuilt = found(pixels(2, 64)) @ original.fc.weight.detach().numpy().T + original.fc.bias.detach().numpy()
    np.testing.assert_allclose(rebuilt, logits, atol=1e-4)

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(InputError, match=r"resnet18-f37072fd.pth.*none are ever downloaded.*:random"):
        backbone("torchvision:resnet18")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "w.pth").rename(tmp_path / "checkpoints" / "resnet18-f37072fd.pth")
    assert backbone("torchvision:resnet18@64", device="cpu").fingerprint == found.fingerprint


def test_any_published_weights_in_the_hub_cache_will_do(torchvision, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    first = tmp_path / "checkpoints" / "resnet50-0676ba61.pth"
    first.touch()
    published = torchvision.models.ResNet50_Weights
    assert libraries._torchvision_file("torchvision:resnet50", published, "") == first
    assert libraries._published(published, first) == published.IMAGENET1K_V1
    second = first.with_name("resnet50-11ad3fa6.pth")
    second.touch()
    assert libraries._torchvision_file("torchvision:resnet50", published, "") == second
    assert libraries._published(published, tmp_path / "mine.pth") == published.IMAGENET1K_V2


def test_torchvision_models_that_cannot_be(torchvision):
    with pytest.raises(UnknownName, match="resnet50"):
        backbone("torchvision:resnet5:random")
    with pytest.raises(InputError, match="does not end in a linear layer"):
        backbone("torchvision:squeezenet1_1:random")
    with pytest.raises(InputError, match="takes no pictures of 64 pixels"):
        backbone("torchvision:vit_b_16:random@64", device="cpu")


# --- timm and open_clip


def test_timm(torchvision, tmp_path):
    timm = pytest.importorskip("timm")
    found = backbone("timm:vit_tiny_patch16_224:random", device="cpu")
    assert found.shape == (192,)
    assert (found.preprocessing.mean, found.preprocessing.crop_fraction) == ((127.5,) * 3, 0.9)
    original = timm.create_model("vit_tiny_patch16_224", pretrained=False)
    torch.save(original.state_dict(), tmp_path / "w.pth")
    again = backbone(f"timm:vit_tiny_patch16_224:{tmp_path / 'w.pth'}", device="cpu")
    with torch.inference_mode():
        expected = original.forward_head(
            original.forward_features(torch.from_numpy(pixels(2, 224))), pre_logits=True
        ).numpy()
    np.testing.assert_allclose(again(pixels(2, 224)), expected, atol=1e-4)
    with pytest.raises(InputError, match="none are ever downloaded"):
        backbone("timm:vit_tiny_patch16_224")
    with pytest.raises(UnknownName, match="vit_tiny_patch16_224"):
        backbone("timm:vit_tini_patch16_224")


def test_open_clip(torchvision, tmp_path, monkeypatch):
    library = pytest.importorskip("open_clip")
    config = {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1},
    }
    (tmp_path / "tiny-clip.json").write_text(json.dumps(config))
    library.add_model_config(tmp_path / "tiny-clip.json")
    original = library.create_model("tiny-clip", load_weights=False, pretrained_text=False).eval()
    torch.save({"state_dict": original.state_dict()}, tmp_path / "w.pt")
    found = backbone(f"open_clip:tiny-clip:{tmp_path / 'w.pt'}", device="cpu")
    assert (found.shape, found.preprocessing.size, found.preprocessing.resize) == ((24,), 32, "crop")
    with torch.inference_mode():
        expected = original.encode_image(torch.from_numpy(pixels(2, 32))).numpy()
    np.testing.assert_allclose(found(pixels(2, 32)), expected, atol=1e-5)
    assert backbone("open_clip:tiny-clip:random", device="cpu").fingerprint != found.fingerprint
    with pytest.raises(InputError, match="none are ever downloaded"):
        backbone("open_clip:tiny-clip")
    with pytest.raises(UnknownName, match="tiny-clip"):
        backbone("open_clip:tiny-clip-x:random")


# --- transformers


def saved(tmp_path, model, **processor):
    model.eval().save_pretrained(tmp_path)
    recipe = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 3, **processor}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(recipe))
    return f"hf:{tmp_path}"


def test_hf_vit_gives_its_class_token(tmp_path):
    transformers = import_transformers("this test")
    config = transformers.ViTConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=32,
        patch_size=16,
    )
    model = transformers.ViTModel(config)
    found = backbone(saved(tmp_path, model, size={"height": 32, "width": 32}), device="cpu")
    assert (found.shape, found.preprocessing.resize, found.preprocessing.mean) == (
        (32,),
        "squash",
        (127.5,) * 3,
    )
    with torch.inference_mode():
        expected = model(torch.from_numpy(pixels(2, 32))).last_hidden_state[:, 0].numpy()
    np.testing.assert_allclose(found(pixels(2, 32)), expected, atol=1e-5)
    with pytest.raises(InputError, match="takes no pictures of 64 pixels"):
        backbone(f"hf:{tmp_path}@64", device="cpu")


def test_hf_resnet_gives_the_mean_and_saves_to_onnx(tmp_path):
    transformers = import_transformers("this test")
    pytest.importorskip("onnxscript")
    config = transformers.ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16],
        depths=[1, 1],
        layer_type="basic",
        downsample_in_first_stage=True,
    )
    name = saved(tmp_path, transformers.ResNetModel(config), size={"shortest_edge": 28}, crop_pct=0.875)
    found = backbone(name, device="cpu")
    assert (found.shape, found.preprocessing.size, found.preprocessing.crop_fraction) == ((16,), 28, 0.875)
    found.save(tmp_path / "saved")
    again = load_backbone(tmp_path / "saved")
    assert (again.name, again.shape, again.fingerprint) == (name, (16,), found.fingerprint)
    assert again.preprocessing == found.preprocessing
    np.testing.assert_allclose(again(pixels(5, 28)), found(pixels(5, 28)), atol=1e-5)


def test_hf_clip_gives_its_image_vector(tmp_path):
    transformers = import_transformers("this test")
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.CLIPConfig(
        vision_config={**small, "image_size": 32, "patch_size": 16},
        text_config={**small, "vocab_size": 50, "max_position_embeddings": 8},
        projection_dim=12,
    )
    crop = {"size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32}}
    found = backbone(saved(tmp_path, transformers.CLIPModel(config), **crop), device="cpu")
    assert (found.shape, found.preprocessing.size, found.preprocessing.crop_fraction) == ((12,), 32, 0.8)


def test_hf_folders_that_are_not(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(InputError, match=r"config\.json"):
        backbone(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(InputError, match="cannot be opened"):
        backbone(f"hf:{tmp_path}")


# --- what they share


@pytest.mark.parametrize("name", ["torchvision:resnet50", "timm:resnet50", "open_clip:RN50:random"])
def test_a_missing_library_says_what_to_install(name, monkeypatch):
    library = name.partition(":")[0]
    monkeypatch.setitem(sys.modules, "torchvision", None if library == "torchvision" else sys)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingPackage, match=f"'{library}': pip install {library}"):
        backbone(name)


class Mean(torch.nn.Module):
    """(B, 3, H, W) -> (B, 3, 2, 2): a feature map."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor([2.0]))

    def forward(self, x):
        return self.scale * torch.nn.functional.adaptive_avg_pool2d(x, 2)


def torch_backbone(module, size=16):
    return TorchBackbone(module, name="mean", preprocessing=Preprocessing(size), device="cpu")


def test_a_map_keeps_its_shape_and_the_fingerprint_sees_weights():
    module = Mean()
    first = torch_backbone(module)
    assert first.shape == (3, 2, 2)
    assert first.fingerprint == torch_backbone(Mean()).fingerprint
    assert first.fingerprint != torch_backbone(module, 18).fingerprint
    with torch.no_grad():
        module.scale += 1
    assert first.fingerprint != torch_backbone(module).fingerprint


def test_an_export_that_differs_is_refused(tmp_path):
    pytest.importorskip("onnxscript")

    class Fickle(Mean):
        def forward(self, x):
            return super().forward(x) + (1.0 if torch.compiler.is_exporting() else 0.0)

    with pytest.raises(CartolinaError, match="differs from torch by"):
        torch_backbone(Fickle()).save(tmp_path)
    assert not (tmp_path / "backbone.onnx").exists()


def test_weights_files(tmp_path):
    from safetensors.torch import save_file

    tensors = {"a": torch.ones(2)}
    torch.save({"state_dict": {"module.a": tensors["a"]}}, tmp_path / "w.pt")
    save_file(tensors, tmp_path / "w.safetensors")
    for name in ("w.pt", "w.safetensors"):
        assert torch.equal(read_weights(tmp_path / name)["a"], tensors["a"])
    with pytest.raises(InputError, match="no weights file"):
        read_weights(tmp_path / "none.pt")
    (tmp_path / "bad.pt").write_bytes(b"bad")
    (tmp_path / "bad.safetensors").write_bytes(b"bad")
    for name in ("bad.pt", "bad.safetensors"):
        with pytest.raises(InputError, match="neither safetensors nor plain tensors"):
            read_weights(tmp_path / name)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(InputError, match="something else than named tensors"):
        read_weights(tmp_path / "list.pt")


class Evil:
    def __reduce__(self):
        return (print, ("owned",))


def test_weights_are_never_unpickled(tmp_path, capsys):
    torch.save({"a": Evil()}, tmp_path / "w.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError, match="neither safetensors nor plain tensors"):
            read_weights(tmp_path / "w.pt")
    assert "owned" not in capsys.readouterr().out


def test_weights_of_another_model():
    with pytest.raises(InputError, match=r"w\.pt lacks 1 tensors of the model, such as 'scale'"):
        fill(Mean(), {"b": torch.ones(1)}, "w.pt")
    with pytest.raises(InputError, match=r"w\.pt does not fit"):
        fill(Mean(), {"scale": torch.ones(7)}, "w.pt")
