"""Weights are rounded as quantize/FORMAT.md stores them: what shares a scale there shares one here.   python -m training.rounding_test"""
import torch
from .rounding import MATRICES, rounded

SHAPES = {"linear": (5, 70), "bandconv": (5, 3, 12), "mix": (2, 4, 9)}


def through(op, name, form, **tensors):
    return rounded(tensors.get, op, name, form)


def ssm(order, complex_c=True, seed=0):
    """Poles and B that give every state a power of one, so that nothing is levelled."""
    generator = torch.Generator().manual_seed(seed)
    B = torch.ones(order, 1)
    decay = torch.full((order,), 20.0)
    C = torch.randn(3, order, *([2] if complex_c else []), generator=generator)
    return {"log_dt": torch.zeros(order), "A": torch.stack([decay, torch.zeros(order)], 1), "B": B, "C": C}


def test_a_row_of_complex_c_has_one_scale_for_both_parts():
    tensors = ssm(6)
    tensors["C"][..., 1] *= 0.01                        # less than a step of the real parts
    C = through("ssm", "C", "int8", **tensors)
    step = tensors["C"].abs().amax((1, 2), keepdim=True) / 127
    assert torch.allclose(C / step, torch.round(C / step), atol=1e-4)
    assert torch.allclose(C, torch.round(tensors["C"] / step) * step, atol=1e-6)


def test_int4_groups_of_complex_c_run_over_both_parts():
    """Of 20 states: columns 0..31 are the real parts and twelve imaginary ones, the other eight have a scale of their own."""
    tensors = ssm(20)
    tensors["C"][..., 1] *= 0.01
    C = through("ssm", "C", "int4", **tensors)
    assert not C[:, :12, 1].any() and C[:, 12:, 1].any()


def test_errors_stay_within_half_a_step_and_gradients_pass():
    for form, largest in (("int8", 127), ("int4", 7)):
        for op, shape in SHAPES.items():
            w = torch.randn(*shape, generator=torch.Generator().manual_seed(1), requires_grad=True)
            y = through(op, "weight", form, weight=w)
            assert y.shape == w.shape and not torch.equal(y, w), op
            steps = 127 if op == "mix" else largest
            assert (y - w).abs().max() <= 0.5001 * w.abs().max() / steps, op
            y.sum().backward()
            assert torch.equal(w.grad, torch.ones_like(w)), op


def test_an_op_with_a_row_too_long_for_int8_stays():
    for op, shape in (("linear", (2, 516)), ("bandconv", (2, 3, 172)), ("mix", (1, 2, 516))):
        longer = (*shape[:-1], shape[-1] + 1)
        for form in ("int8", "int4"):
            fits, stays = torch.randn(*shape), torch.randn(*longer)
            assert not torch.equal(through(op, "weight", form, weight=fits), fits), op
            kept = through(op, "weight", form, weight=stays)
            assert torch.equal(kept, stays) == (form == "int8" or op == "mix"), op
    for order, stays in ((256, False), (260, True)):    # 512 and 520 columns of C decide for B too
        tensors = {**ssm(order), "B": torch.randn(order, 3)}
        for name in ("B", "C"):
            assert torch.equal(through("ssm", name, "int8", **tensors), tensors[name]) == stays, (order, name)
            assert not torch.equal(through("ssm", name, "int4", **tensors), tensors[name])


def test_what_is_no_matrix_stays():
    bias = torch.randn(4)
    assert through("linear", "bias", "int8", bias=bias) is bias and "norm" not in MATRICES


if __name__ == "__main__":
    for name, check in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        check()
        print("ok", name[5:].replace("_", " "), flush=True)
