"""Learning a space in which photos and words meet: ψ: features → R^D beside φ: texts → R^D.

`fit` is the only training loop; `contrastive` and `regression` are objectives for it; `conse` is the cold
start, which learns nothing. What is learnt leaves as ONNX (`export`): searching and adding need no torch.
"""
