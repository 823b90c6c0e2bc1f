"""Layers on sequences (B, T, C, H, W), from the oldest step to the latest."""

import torch
from torch import Tensor, nn

from crimecast.designs.layers import ACTIVATION
from crimecast.designs.shapes import Laid


class Flatten(nn.Module):
    """The steps side by side, as channels."""

    def __init__(self, _placed: Laid) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1, 2)


class Select(nn.Module):
    """Some lags of the history, as channels, in the order in which they are named."""

    def __init__(self, laid: Laid, lags: tuple[int, ...]) -> None:
        super().__init__()
        oldest_first = sorted(lags, reverse=True)
        self.chosen = [oldest_first.index(lag) for lag in laid.options["lags"]]

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.chosen].flatten(1, 2)


class Conv3d(nn.Module):
    """Convolution over space and time; zero padding keeps both."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        options = laid.options
        kernel = (options["steps"], options["kernel"], options["kernel"])
        self.conv = nn.Conv3d(
            laid.takes[0][1], options["channels"], kernel, padding=tuple(k // 2 for k in kernel)
        )
        self.activation = ACTIVATION[options["activation"]]()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.conv(x.transpose(1, 2))).transpose(1, 2)


class ConvLSTM(nn.Module):
    """Convolutional LSTM (Shi et al. 2015, NeurIPS; without its peepholes). Its last hidden state,
    or with `sequence` that of every step.

        i, f, o = σ(W ∗ [x, h]),  g = tanh(W ∗ [x, h]),  c ← f c + i g,  h = o tanh(c)
    """

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        options, self.hidden = laid.options, laid.options["channels"]
        self.sequence = options["sequence"]
        self.gates = nn.Conv2d(
            laid.takes[0][1] + self.hidden, 4 * self.hidden, options["kernel"],
            padding=options["kernel"] // 2,
        )  # fmt: skip
        with torch.no_grad():  # remember by default (Jozefowicz et al. 2015)
            self.gates.bias[self.hidden : 2 * self.hidden] = 1.0  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(x.shape[0], self.hidden, *x.shape[3:])
        states = []
        for t in range(x.shape[1]):
            i, f, o, g = self.gates(torch.cat([x[:, t], h], dim=1)).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            states.append(h)
        return torch.stack(states, dim=1) if self.sequence else h


class ConvGRU(nn.Module):
    """Convolutional GRU (Ballas et al. 2016, ICLR). Its last state, or with `sequence` every one.

    z, r = σ(W ∗ [x, h]),  g = tanh(U ∗ [x, r h]),  h ← (1 − z) h + z g
    """

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        options, self.hidden = laid.options, laid.options["channels"]
        self.sequence = options["sequence"]
        both, pad = laid.takes[0][1] + self.hidden, options["kernel"] // 2
        self.gates = nn.Conv2d(both, 2 * self.hidden, options["kernel"], padding=pad)
        self.new = nn.Conv2d(both, self.hidden, options["kernel"], padding=pad)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], self.hidden, *x.shape[3:])
        states = []
        for t in range(x.shape[1]):
            z, r = torch.sigmoid(self.gates(torch.cat([x[:, t], h], dim=1))).chunk(2, dim=1)
            g = torch.tanh(self.new(torch.cat([x[:, t], r * h], dim=1)))
            h = (1 - z) * h + z * g
            states.append(h)
        return torch.stack(states, dim=1) if self.sequence else h


class LagAttention(nn.Module):
    """Each cell attends to the steps of its own past; the calendar asks.

    a_t = softmax_t(q · k_t / √d + b_t), y = Σ_t a_t v_t, with keys and values linear in the step's
    channels, the query linear in the calendar, and a bias for each lag (after Vaswani et al. 2017).
    """

    wants_calendar = True

    def __init__(self, laid: Laid, calendar: int) -> None:
        super().__init__()
        steps, channels = laid.takes[0][:2]
        keys = laid.options["keys"]
        self.key = nn.Conv2d(channels, keys, 1)
        self.value = nn.Conv2d(channels, laid.shape[0], 1)
        self.query = nn.Linear(calendar, keys)
        self.lag = nn.Parameter(torch.zeros(steps))

    def forward(self, x: Tensor, calendar: Tensor) -> Tensor:
        batch, steps = x.shape[:2]
        flat = x.flatten(0, 1)
        keys = self.key(flat).unflatten(0, (batch, steps))
        values = self.value(flat).unflatten(0, (batch, steps))
        query = self.query(calendar)[:, None, :, None, None] / keys.shape[2] ** 0.5
        score = (keys * query).sum(dim=2) + self.lag[:, None, None]
        return (values * torch.softmax(score, dim=1)[:, :, None]).sum(dim=1)
