"""Train networks of `shapes.SHIPPED`.   python -m training.train --config base --bank BANK --steps 60000 --minutes 9

A run can be split over many sittings: `--state` holds weights, EMA, optimiser, random state and step in one file, and the next sitting
goes on where it stopped; with --steps the learning rate depends on the step alone. Several networks learn side by side from the same mixtures
(--config base hq lite). On a GPU the whole step (mixing, networks, losses, gradients, updates) is one CUDA graph, in which the networks and the
mixing of the next batch have a stream each.
"""
import argparse
import json
import math
import os
import time
from functools import partial
import torch
from torch import nn
from .data import Mixer, sensed
from .grow import grow
from .losses import DenoisingLoss
from .network import Network, from_checkpoint
from .rounding import FORMATS
from .shapes import SHIPPED
from .state import averaged, by_rate, flatten, load

DIVERGED = 1e4      # a mean gradient norm that no sound run has; some tens are usual
# what holds where the command line is silent: peak learning rate, weights of the loudness-domain loss and, per dB, of SI-SDR
RECIPES = {"base": (1.5e-3, 0.65, 0.13), "hq": (1.2e-3, 0.5, 0.1), "lite": (1.5e-3, 0.9, 0.04), "nano": (1.5e-3, 0.6, 0.06)}
OTHERS = (2e-3, 0.5, 0.06)


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", choices=SHIPPED, nargs="+", required=True, help="one network, or several that learn side by side")
    p.add_argument("--bank", default=".bank", help="folder made by training.banks")
    p.add_argument("--state", default=".train/{config}.pt", help="state file; {config} stands for the network's name (default %(default)s)")
    p.add_argument("--steps", type=int, default=60000, help="length of the whole schedule; 0: this sitting is the schedule, however far it gets")
    p.add_argument("--part", type=float, nargs=2, default=(0.0, 1.0), metavar=("FROM", "TO"), help="with --steps 0: this sitting's part of the schedule")
    p.add_argument("--minutes", type=float, default=9.0, help="length of this sitting")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--seconds", type=float, default=4.8, help="length of an item")
    p.add_argument("--memory", type=float, default=1.0, help="longest time constant of a state, s; a third of --seconds or less (default %(default)s)")
    p.add_argument("--rate", type=float, help="peak learning rate (default: RECIPES)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--loudness", type=float, help="weight of the loudness-domain loss (default: RECIPES)")
    p.add_argument("--sisdr", type=float, help="weight of SI-SDR, per dB (default: RECIPES)")
    p.add_argument("--intelligibility", type=float, default=5.0, help="weight of 1 - STOI")
    p.add_argument("--bfloat16", action="store_true", help="the networks' matrix products in bfloat16 (GPU)")
    p.add_argument("--checkpoint", help="network and weights to train further, such as a reduced one ({config} as above); --config then only names the state file")
    p.add_argument("--round", choices=FORMATS, help="weights rounded in every forward pass as the compiler stores them, for int4 above all; fine-tune with --warm")
    p.add_argument("--warm", help="state file (its EMA) or checkpoint to take weights from at step 0 ({config} as above)")
    p.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--compile", action="store_true", help="fuse each network with torch.compile (PyTorch 2, a minute at the start)")
    p.add_argument("--no-graph", action="store_true", help="run without a CUDA graph")
    a = p.parse_args()
    if len(set(a.config)) < len(a.config):
        p.error(f"--config: each network once, got {' '.join(a.config)}")
    if a.batch < 1 or a.seconds < 1:
        p.error(f"--batch, --seconds: expected an item and a second at least, got {a.batch} of {a.seconds:g} s")
    if not 0 < a.memory <= a.seconds / 3 + 1e-9:
        p.error(f"--memory: a state settles in about three time constants, expected 0 to {a.seconds / 3:.3g} s with items of {a.seconds:g} s, got {a.memory:g}")
    if not 0 <= a.part[0] <= a.part[1] <= 1 or (a.steps and tuple(a.part) != p.get_default("part")):
        p.error(f"--part: expected 0 <= FROM <= TO <= 1 and --steps 0, got {a.part[0]:g} {a.part[1]:g} and --steps {a.steps}")
    if a.device == "cuda" and not torch.cuda.is_available():
        p.error("--device: no CUDA device here, give cpu")
    if a.compile and not hasattr(torch, "compile"):
        p.error(f"--compile: needs PyTorch 2, this is {torch.__version__}")
    if len(a.config) > 1 and "{config}" not in a.state:
        p.error(f"--state: several networks need a file each, expected {{config}} in it, got {a.state}")
    return a


def learning_rate(step, progress, peak, warmup=500):
    """Linear warm-up over steps, then a cosine over progress (0..1) down to one per cent."""
    return peak * min(1.0, (step + 1) / warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def named(template, config):
    return template and template.replace("{config}", config)


class Trainer:
    """One network, what it learns by, and its state file."""

    def __init__(self, a, config):
        self.a, self.config, self.path = a, config, named(a.state, config)
        given = zip((a.rate, a.loudness, a.sisdr), RECIPES.get(config, OTHERS))
        self.rate, self.loudness, self.sisdr = (usual if own is None else own for own, usual in given)
        checkpoint = named(a.checkpoint, config)
        self.network = (from_checkpoint(checkpoint) if checkpoint else Network(SHIPPED[config](), seed=a.seed)).to(a.device)
        self.network.format = a.round
        self.network.limit_memory(a.memory)
        self.sensor = self.network.config["input"]["rate"] == 4000
        self.loss = DenoisingLoss(self.loudness, self.sisdr, a.intelligibility).to(a.device)
        self.lag = lag(self.network)
        # the loss stays as it is: fused, its complex transforms read memory that was handed out again (PyTorch 2.11)
        self.forward = torch.compile(self.network, dynamic=False) if a.compile else self.network
        self.flats = [flatten(group) for group in by_rate(self.network)]
        self.ema = [f.detach().clone() for f in self.flats]
        self.cuda = a.device == "cuda"
        number = lambda x: torch.tensor(x, device=a.device) if self.cuda else x
        shares, decays = (1.0, 0.2), (0.01, 0.0)
        groups = [{"params": [f], "weight_decay": d, "share": s, "lr": number(self.rate)} for f, s, d in zip(self.flats, shares, decays) if f.numel()]
        self.flats = [g["params"][0] for g in groups]
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), **({"capturable": True} if self.cuda else {}))
        self.keep = torch.tensor(0.0, device=a.device)     # EMA factor
        self.step = self.first = 0
        self.totals = {k: torch.zeros((), device=a.device) for k in ("total", "spectral", "sisdr", "loudness", "unclear", "norm")}

    def learn(self, noisy, clean, *received):
        """One step on a batch, (B, samples) each; a sensor's network hears only what is received of it."""
        parts = self.forward_backward(noisy, clean, received if self.sensor else (noisy,))
        parts["norm"] = self.update()
        for k, v in parts.items():
            self.totals[k].add_(v)

    def forward_backward(self, noisy, clean, heard):
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
        self.network.limit_memory(self.a.memory)
        with torch.no_grad():
            for e, f in zip(self.ema, self.flats):
                e.add_((f - e) * (1 - self.keep))
        return norm

    def set_rates(self, done):
        """Learning rate and EMA for the next step; done: the part of this sitting that is over, 0..1."""
        a = self.a
        lr = learning_rate(self.step, self.step / a.steps if a.steps else (1 - done) * a.part[0] + done * a.part[1], self.rate)
        for g in self.optimiser.param_groups:
            if self.cuda:
                g["lr"].fill_(lr * g["share"])
            else:
                g["lr"] = lr * g["share"]
        self.keep.fill_(min(0.9995, (self.step + 1) / (self.step + 20)))

    def clear(self):
        for total in self.totals.values():
            total.zero_()

    def means(self, steps):
        """The mean of each part of the loss over so many steps; a run that has diverged ends here."""
        parts = {k: t.item() / steps for k, t in self.totals.items()}
        self.clear()
        if not 0 < parts["norm"] < DIVERGED:        # zero: no gradient was a number
            raise SystemExit(f"{self.config}, step {self.step}: mean gradient norm {parts['norm']:.3g}, expected between 0 and {DIVERGED:g}: the run has diverged and was not saved")
        return parts

    def save(self):
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        state = {"step": self.step, "weights": self.network.state_dict(), "ema": self.ema,
                 "optimiser": [dict(self.optimiser.state[f]) for f in self.flats],
                 "random": torch.get_rng_state(), "random_cuda": torch.cuda.get_rng_state() if self.cuda else None,
                 "config": self.network.config,
                 "arguments": {**vars(self.a), "config": self.config, "rate": self.rate, "loudness": self.loudness, "sisdr": self.sisdr}}
        torch.save(state, self.path + ".part")
        os.replace(self.path + ".part", self.path)

    def load(self):
        state = load(self.path)
        if state["config"] != self.network.config:
            raise SystemExit(f"{self.path}: made for another shape than {self.config} has now; move it away or name another --state")
        self.network.load_state_dict(state["weights"])
        for e, s in zip(self.ema, state["ema"]):
            e.copy_(s)
        for f, s in zip(self.flats, state["optimiser"]):
            self.optimiser.state[f] = {k: (v.to(self.a.device) if torch.is_tensor(v) else v) for k, v in s.items()}
        torch.set_rng_state(state["random"])
        if self.cuda and state["random_cuda"] is not None:
            torch.cuda.set_rng_state(state["random_cuda"])
        self.step = self.first = state["step"]

    def warm(self, path):
        """Start from the EMA of another run, or from a checkpoint; a smaller network may be given (grow.py)."""
        try:
            grow(self.network, from_checkpoint(path) if path.endswith(".safetensors") else averaged(load(path)))
        except ValueError as fault:
            raise SystemExit(f"{path}: {fault}") from None
        self.network.limit_memory(self.a.memory)
        for e, f in zip(self.ema, self.flats):
            e.copy_(f.detach())

    def begin(self):
        """Goes on from the state file, if there is one."""
        if os.path.exists(self.path):
            self.load()
            print(f"{self.config}: resumed at step {self.step}", flush=True)
        elif self.a.warm:
            self.warm(named(self.a.warm, self.config))


class Sitting:
    """Mixtures, and the networks that learn from them: all from the same batch, while the next one is mixed."""

    def __init__(self, a):
        self.a, self.cuda = a, a.device == "cuda"
        torch.manual_seed(a.seed)
        self.trainers = [Trainer(a, config) for config in a.config]
        self.mixer = Mixer(a.bank, a.batch, int(a.seconds * 16000) // 256 * 256, a.device)
        self.streams = [torch.cuda.Stream() for _ in range(len(self.trainers) + 1)] if self.cuda else []
        self.batch = self.mix()

    @torch.no_grad()
    def mix(self):
        """A batch: noisy and clean, and what is received of it where there is a sensor's network; (B, ...) each."""
        noisy, clean = self.mixer.sample()
        return noisy, clean, *(sensed(self.mixer, noisy) if any(t.sensor for t in self.trainers) else ())

    def refill(self, batch=None):
        for kept, new in zip(self.batch, batch or self.mix()):
            kept.copy_(new)

    def whole_step(self):
        """One step of every network on the batch at hand, and the next batch."""
        work = [*(partial(t.learn, *self.batch) for t in self.trainers), self.mix]
        *_, following = side_by_side(work, self.streams) if self.cuda else [part() for part in work]
        self.refill(following)

    def advance(self, whole_step, done):
        """One step by `whole_step` or its recording, at the rates that hold where the part `done` of the sitting is over, 0..1."""
        for t in self.trainers:
            t.set_rates(done)
        whole_step()
        for t in self.trainers:
            t.step += 1

    def capture(self):
        """Warm up, then record the step once; weights, optimiser and random state are put back afterwards."""
        random = torch.cuda.get_rng_state()
        flats = [(t, f) for t in self.trainers for f in t.flats]
        weights = [f.detach().clone() for _, f in flats]
        moments = [{k: v.clone() for k, v in t.optimiser.state.get(f, {}).items()} for t, f in flats]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for t in self.trainers:
                t.keep.fill_(1.0)
            for _ in range(3):
                self.whole_step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.whole_step()
        with torch.no_grad():
            for (t, f), w, m in zip(flats, weights, moments):
                f.copy_(w)
                for k, v in t.optimiser.state[f].items():
                    v.copy_(m[k]) if k in m else v.zero_()
        torch.cuda.set_rng_state(random)
        return graph.replay

    def save(self):
        for t in self.trainers:
            t.save()
        self.refill()               # as the sitting that goes on from here will

    def train(self):
        a = self.a
        replay = self.whole_step if a.no_graph or not self.cuda else self.capture()
        for t in self.trainers:
            t.clear()
        self.refill()
        begin = mark = saved = time.time()
        steps, every, limit = 0, 200 if self.cuda else 20, 60 * a.minutes
        while (spent := time.time() - begin) < limit and (not a.steps or any(t.step < a.steps for t in self.trainers)):
            self.advance(replay, spent / limit)
            steps += 1
            if steps % every == 0:
                means = [(t, t.means(every)) for t in self.trainers]
                now = time.time()
                speed, mark = every * a.batch * a.seconds / (now - mark), now
                for t, parts in means if steps % (5 * every) == 0 or steps <= 2 * every else ():
                    print(f"{now - begin:6.0f} s  {t.config}  step {t.step}  " + "  ".join(f"{k} {v:.4f}" for k, v in parts.items()) + f"  {speed:.0f} s/s", flush=True)
                if now - saved > 60:
                    self.save()
                    saved = now
        if rest := steps % every:
            for t in self.trainers:
                t.means(rest)
        self.save()
        for t in self.trainers:
            print(json.dumps({"config": t.config, "steps": t.step, "this_sitting_steps": t.step - t.first, "seconds": round(time.time() - begin),
                              "audio_hours": round((t.step - t.first) * a.batch * a.seconds / 3600, 1)}))


def side_by_side(work, streams):
    """The results of some functions, each of which runs on a stream of its own."""
    here, results = torch.cuda.current_stream(), []
    for stream, part in zip(streams, work):
        stream.wait_stream(here)
        with torch.cuda.stream(stream):
            results.append(part())
    for stream in streams:
        here.wait_stream(stream)
    return results


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
    sitting = Sitting(a)
    hours = lambda samples: f"{samples.numel() / 57.6e6:.2f} h"
    for t in sitting.trainers:
        print(f"{t.config}: {sum(f.numel() for f in t.flats)} parameters, speech {hours(sitting.mixer.speech)}, noise {hours(sitting.mixer.noise)}", flush=True)
        t.begin()
    sitting.train()


if __name__ == "__main__":
    main()
