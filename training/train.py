"""Train a network of `shapes.SHIPPED`.   python -m training.train --config base --bank BANK --steps 60000 --minutes 9

A run can be split over many sittings: `--state` holds weights, EMA, optimiser, random state and step in one file, and the next sitting
goes on where it stopped; with --steps the learning rate depends on the step alone. On a GPU the whole step (mixing, network, loss, gradient, update)
is one CUDA graph, in which the next batch is mixed beside the work on this one.
"""
import argparse
import json
import math
import os
import time
import torch
from torch import nn
from .data import Mixer, sensed
from .losses import DenoisingLoss
from .network import Network, from_checkpoint
from .rounding import FORMATS
from .shapes import SHIPPED
from .state import averaged, by_rate, flatten, load

DIVERGED = 1e4      # a mean gradient norm that no sound run has; some tens are usual


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", choices=SHIPPED, required=True)
    p.add_argument("--bank", default=".bank", help="folder made by training.banks")
    p.add_argument("--state", help="state file (default .train/CONFIG.pt)")
    p.add_argument("--steps", type=int, default=60000, help="length of the whole schedule; 0: this sitting is the schedule, however far it gets")
    p.add_argument("--part", type=float, nargs=2, default=(0.0, 1.0), metavar=("FROM", "TO"), help="with --steps 0: this sitting's part of the schedule")
    p.add_argument("--minutes", type=float, default=9.0, help="length of this sitting")
    p.add_argument("--batch", type=int, default=24)
    p.add_argument("--seconds", type=float, default=3.2, help="length of an item")
    p.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--loudness", type=float, default=0.5, help="weight of the loudness-domain loss")
    p.add_argument("--sisdr", type=float, default=0.06, help="weight of SI-SDR, per dB")
    p.add_argument("--intelligibility", type=float, default=4.0, help="weight of 1 - STOI")
    p.add_argument("--bfloat16", action="store_true", help="the network's matrix products in bfloat16 (GPU)")
    p.add_argument("--checkpoint", help="network and weights to train further, such as a reduced one; --config then only names the state file")
    p.add_argument("--round", choices=FORMATS, help="weights rounded in every forward pass as the compiler stores them, for int4 above all; fine-tune with --warm")
    p.add_argument("--warm", help="state file to take weights (EMA) from at step 0")
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--compile", action="store_true", help="fuse the network with torch.compile (PyTorch 2, a minute at the start)")
    p.add_argument("--no-graph", action="store_true", help="run without a CUDA graph")
    return p.parse_args()


def learning_rate(step, progress, peak, warmup=500):
    """Linear warm-up over steps, then a cosine over progress (0..1) down to one per cent."""
    return peak * min(1.0, (step + 1) / warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


class Trainer:
    def __init__(self, a):
        self.a = a
        torch.manual_seed(a.seed)
        self.network = (from_checkpoint(a.checkpoint) if a.checkpoint else Network(SHIPPED[a.config](), seed=a.seed)).to(a.device)
        self.network.format = a.round
        self.loss = DenoisingLoss(a.loudness, a.sisdr, a.intelligibility).to(a.device)
        self.mixer = Mixer(a.bank, a.batch, int(a.seconds * 16000) // 256 * 256, a.device)
        self.lag = lag(self.network)
        # the loss stays as it is: fused, its complex transforms read memory that was handed out again (PyTorch 2.11)
        self.forward = torch.compile(self.network, dynamic=False) if a.compile else self.network
        self.flats = [flatten(group) for group in by_rate(self.network)]
        self.ema = [f.detach().clone() for f in self.flats]
        self.cuda = a.device == "cuda"
        number = lambda x: torch.tensor(x, device=a.device) if self.cuda else x
        shares, decays = (1.0, 0.2), (0.01, 0.0)
        groups = [{"params": [f], "weight_decay": d, "share": s, "lr": number(a.rate)} for f, s, d in zip(self.flats, shares, decays) if f.numel()]
        self.flats = [g["params"][0] for g in groups]
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), **({"capturable": True} if self.cuda else {}))
        self.keep = torch.tensor(0.0, device=a.device)     # EMA factor
        self.beside = torch.cuda.Stream() if self.cuda else None
        self.batch = self.mix()
        self.step = 0
        self.totals = {}

    @torch.no_grad()
    def mix(self):
        """A batch: noisy, clean and what the network hears of it, (B, ...) each."""
        noisy, clean = self.mixer.sample()
        heard = sensed(self.mixer, noisy) if self.network.config["input"]["rate"] == 4000 else (noisy,)
        return noisy, clean, *heard

    def refill(self, batch=None):
        for kept, new in zip(self.batch, batch or self.mix()):
            kept.copy_(new)

    def forward_backward(self):
        noisy, clean, *heard = self.batch
        for f in self.flats:
            f.grad.zero_()
        # no cache of casts: it would outlive the recording of a CUDA graph
        with torch.autocast(self.a.device, torch.bfloat16, enabled=self.a.bfloat16, cache_enabled=False):
            estimate = self.forward(*heard)[:, self.lag:].float()
        n = estimate.shape[1]
        total, parts = self.loss(estimate, clean[:, :n], noisy[:, :n])
        total.backward()
        return {"total": total.detach(), **parts}

    def update(self):
        for f in self.flats:
            f.grad.nan_to_num_(0.0, 0.0, 0.0)
        norm = torch.sqrt(sum(f.grad.square().sum() for f in self.flats))
        for f in self.flats:
            f.grad.mul_((1.0 / (norm + 1e-6)).clamp(max=1.0))
        self.optimiser.step()
        with torch.no_grad():
            for e, f in zip(self.ema, self.flats):
                e.add_((f - e) * (1 - self.keep))
        return norm

    def whole_step(self):
        """One step on the batch at hand; the next one is mixed on a stream of its own."""
        if self.cuda:
            here = torch.cuda.current_stream()
            self.beside.wait_stream(here)
            with torch.cuda.stream(self.beside):
                following = self.mix()
        parts = self.forward_backward()
        parts["norm"] = self.update()
        for k, v in parts.items():
            self.totals[k].add_(v)
        if self.cuda:
            here.wait_stream(self.beside)
        else:
            following = self.mix()
        self.refill(following)

    def set_rates(self, progress):
        lr = learning_rate(self.step, progress, self.a.rate)
        for g in self.optimiser.param_groups:
            if self.cuda:
                g["lr"].fill_(lr * g["share"])
            else:
                g["lr"] = lr * g["share"]
        self.keep.fill_(min(0.9995, (self.step + 1) / (self.step + 20)))

    def capture(self):
        """Warm up, then record the step once; weights, optimiser and random state are put back afterwards."""
        random = torch.cuda.get_rng_state()
        weights = [f.detach().clone() for f in self.flats]
        moments = [{k: v.clone() for k, v in self.optimiser.state.get(f, {}).items()} for f in self.flats]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self.keep.fill_(1.0)
            for _ in range(3):
                self.whole_step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.whole_step()
        with torch.no_grad():
            for f, w, m in zip(self.flats, weights, moments):
                f.copy_(w)
                for k, v in self.optimiser.state[f].items():
                    v.copy_(m[k]) if k in m else v.zero_()
        torch.cuda.set_rng_state(random)
        return graph.replay

    def save(self, path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        state = {"step": self.step, "weights": self.network.state_dict(), "ema": self.ema,
                 "optimiser": [dict(self.optimiser.state[f]) for f in self.flats],
                 "random": torch.get_rng_state(), "random_cuda": torch.cuda.get_rng_state() if self.cuda else None,
                 "config": self.network.config, "arguments": vars(self.a)}
        torch.save(state, path + ".part")
        os.replace(path + ".part", path)
        self.refill()               # as the sitting that goes on from here will

    def load(self, path):
        state = load(path)
        if state["config"] != self.network.config:
            raise SystemExit(f"{path}: made for another shape than {self.a.config} has now; move it away or name another --state")
        self.network.load_state_dict(state["weights"])
        for e, s in zip(self.ema, state["ema"]):
            e.copy_(s)
        for f, s in zip(self.flats, state["optimiser"]):
            self.optimiser.state[f] = {k: (v.to(self.a.device) if torch.is_tensor(v) else v) for k, v in s.items()}
        torch.set_rng_state(state["random"])
        if self.cuda and state["random_cuda"] is not None:
            torch.cuda.set_rng_state(state["random_cuda"])
        self.step = state["step"]

    def warm(self, path):
        """Start from the EMA of another run. A block the other network lacks starts as the identity: its branch is silent."""
        given = dict(averaged(load(path)).named_parameters())
        with torch.no_grad():
            for name, p in self.network.named_parameters():
                if name in given:
                    p.copy_(given[name])
                elif name.endswith(("_ssm/C", "_channels/weight", "_channels/bias")):
                    p.zero_()
            for e, f in zip(self.ema, self.flats):
                e.copy_(f)

    def train(self, path):
        for k in ("total", "spectral", "sisdr", "loudness", "unclear", "norm"):
            self.totals[k] = torch.zeros((), device=self.a.device)
        replay = self.whole_step if self.a.no_graph or not self.cuda else self.capture()
        for t in self.totals.values():
            t.zero_()
        self.refill()
        begin = mark = saved = time.time()
        first, every = self.step, 200 if self.cuda else 20
        limit = 60 * self.a.minutes
        while (spent := time.time() - begin) < limit and (self.step < self.a.steps or not self.a.steps):
            done = spent / limit
            self.set_rates(self.step / self.a.steps if self.a.steps else (1 - done) * self.a.part[0] + done * self.a.part[1])
            replay()
            self.step += 1
            if self.step % every == 0:
                parts = {k: t.item() / every for k, t in self.totals.items()}
                for t in self.totals.values():
                    t.zero_()
                if not parts["norm"] < DIVERGED:
                    raise SystemExit(f"step {self.step}: mean gradient norm {parts['norm']:.3g}, expected less than {DIVERGED:g}: the run has diverged and was not saved")
                now = time.time()
                speed = every * self.a.batch * self.a.seconds / (now - mark)
                mark = now
                if self.step % (5 * every) == 0 or self.step <= 2 * every:
                    print(f"{now - begin:6.0f} s  step {self.step}  " + "  ".join(f"{k} {v:.4f}" for k, v in parts.items()) + f"  {speed:.0f} s/s", flush=True)
                if now - saved > 60:
                    self.save(path)
                    saved = now
        self.save(path)
        spent = time.time() - begin
        print(json.dumps({"config": self.a.config, "steps": self.step, "this_sitting_steps": self.step - first, "seconds": round(spent),
                          "audio_hours": round((self.step - first) * self.a.batch * self.a.seconds / 3600, 1)}))


def lag(network):
    """Samples by which the result timeline starts early (CHECKPOINT.md, overlapLag)."""
    lags = {"input": 0}
    for node in network.config["graph"]:
        own = 0
        if node["op"] == "overlap":
            S, _, m = network.shapes[node["in"][0]]
            own = m - network.shapes[node["name"]][0] // S
        lags[node["name"]] = own + max(lags.get(i, 0) for i in node["in"])
    return lags["output"]


def main():
    a = arguments()
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.set_flush_denormal(True)
    path = a.state or f".train/{a.config}.pt"
    trainer = Trainer(a)
    print(f"{a.config}: {sum(f.numel() for f in trainer.flats)} parameters, speech {trainer.mixer.speech.numel() / 57.6e6:.2f} h, noise {trainer.mixer.noise.numel() / 57.6e6:.2f} h", flush=True)
    if os.path.exists(path):
        trainer.load(path)
        print(f"resumed at step {trainer.step}", flush=True)
    elif a.warm:
        trainer.warm(a.warm)
    trainer.train(path)


if __name__ == "__main__":
    main()
