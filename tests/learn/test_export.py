"""Exported models compute what torch computes, for any number of rows, or are not written."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cartolina.learn.export import ExportDiffers, export_head
from cartolina.onnx_session import open_session


class Head(nn.Module):
    """Two inputs of different shapes, attention over one of them, unit rows out."""

    def __init__(self):
        super().__init__()
        self.pool, self.out, self.drop = nn.Linear(4, 1), nn.Linear(4 + 3, 5), nn.Dropout(0.5)

    def forward(self, maps, vectors):
        rows = maps.flatten(2).transpose(1, 2)  # (N, 6, 4)
        pooled = (self.pool(rows).softmax(1) * rows).sum(1)
        return functional.normalize(self.out(self.drop(torch.cat([pooled, vectors], 1))), dim=1)


def test_computes_what_torch_computes_for_any_number_of_rows(tmp_path):
    torch.manual_seed(0)
    head = Head()
    maps, vectors = torch.randn(7, 4, 2, 3), torch.randn(7, 3)
    export_head(head, [maps[:3], vectors[:3]], ["features_0", "features_1"], tmp_path / "image.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["image.onnx"]
    session = open_session(tmp_path / "image.onnx")
    with torch.no_grad():
        expected = head(maps, vectors).numpy()
    (found,) = session.run(["vector"], {"features_0": maps.numpy(), "features_1": vectors.numpy()})
    np.testing.assert_allclose(found, expected, atol=1e-5)
    (one,) = session.run(["vector"], {"features_0": maps[:1].numpy(), "features_1": vectors[:1].numpy()})
    np.testing.assert_allclose(one, expected[:1], atol=1e-5)
    assert not head.training


class Restless(nn.Module):
    """Never the same twice: no export can agree with it."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x + float(self.calls)


def test_leaves_nothing_behind_when_the_check_fails(tmp_path):
    with pytest.raises(ExportDiffers, match="differs from torch"):
        export_head(Restless(), [torch.ones(2, 3)], ["phi"], tmp_path / "text_head.onnx")
    assert list(tmp_path.iterdir()) == []
