"""A layer with long memories of its own: how long each lasts and how far it reaches are learnt.

A memory is a diagonal linear recurrence over all that came before, s(t) = a s(t−1) + (1−a) x(t−1), whose half-life
log 2 / −log a is a weight. Run through thousands of steps at every batch it would take hours; but a decayed mean of
any half-life is, to a percent or two, what lies between those of the two nearest of a fine row of half-lives, and those of
the row (`past` of a design) are made once, in one pass over the cube. So the gradient for a half-life is exact for
what the layer computes, and costs what two multiplications cost.

What was tried and is wrong here: gates driven by the counts (GRU, LSTM, RG-LRU) forget at every zero, and nearly all
counts are zero; norms over time take the level away, which is most of what is to be known; the short half-lives that
Mega (Ma et al. 2023, ICLR) and RG-LRU (De et al. 2024, arXiv 2402.19427) start from never grow to years.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from crimecast.designs.shapes import Laid
from crimecast.designs.spec import Design

REACH = 8  # cells on either side that a memory may gather from
LEAST = 0.15  # cells: a spread below it is none
SPREAD = 1.0  # cells, of half of the memories at the start
EVIDENCE = 2.0  # days of the city's mean that a cell starts from
TINY = 1e-5
WEEK = 7.0
OLDEST = 12.0  # the logarithm of more days than any record goes back
FASTER = 5.0  # times the other weights' steps: half-lives have a long way to go, in few epochs


class Memory(nn.Module):
    """What each memory expects of a cell, beside the city's mean: log(m_j / μ), (J + count) · C channels.

    m_j = (M p r_j + κ_j μ_j) / (M p + κ_j): r_j the decayed mean of half-life h_j, blurred by a Gaussian of σ_j cells
    that is normalised on the city; M the days behind it, p = max(1, 4πσ²) the cells; κ_j days of evidence for the
    city's own mean μ_j, so that what is known of a cell counts as far as there is something known. μ is μ_j of the
    longest memory; the last channels are the μ_j of the sharp ones, memories of the whole city. Learnt: h_j (started
    log-spaced), κ_j and, of the memories but the sharp first half, σ_j (started at a cell).
    """

    row: Tensor

    def __init__(self, laid: Laid, design: Design) -> None:
        super().__init__()
        self.weight_decay = 0.0
        types = laid.takes[0][0] - 1
        self.rows = len(design.past), len(design.weekday_past)
        self.types = types // sum(self.rows)
        self.register_buffer("row", torch.tensor([*design.past, *design.weekday_past]).log2())
        of_all = laid.options["count"]
        of_weekday = laid.options["weekdays"] if design.weekday_past else 0
        row = self.row[: self.rows[0]]
        starts = [torch.linspace(float(row[0]), float(row[-1]), of_all)] * 2
        if of_weekday:
            week = self.row[self.rows[0] :]
            starts.append(torch.linspace(float(week[0]), float(week[-1]), of_weekday + 2)[1:-1])
        self.count = 2 * of_all, of_weekday
        self.log_half_life = nn.Parameter(torch.cat(starts) / FASTER)
        self.spread = nn.Parameter(torch.full((of_all + of_weekday,), SPREAD / FASTER))
        self.log_evidence = nn.Parameter(
            torch.full((sum(self.count),), math.log(EVIDENCE) / FASTER)
        )

    def half_lives(self) -> Tensor:
        """(J,) days, within those of the row that they are made of."""
        return torch.exp2(torch.cat([own for own, _ in self._on_the_row()]))

    def spreads(self) -> Tensor:
        """(J,) standard deviations in cells, zero of the sharp ones."""
        wide = (FASTER * self.spread).abs().clamp(max=REACH / 2)
        return torch.cat([wide.new_zeros(self.count[0] // 2), wide])

    def forward(self, past: Tensor) -> Tensor:
        with torch.autocast(past.device.type, enabled=False):
            return self._remembered(past if past.dtype == torch.float64 else past.float())

    def _remembered(self, past: Tensor) -> Tensor:
        age = torch.expm1(
            past[:, -1].clamp(0, OLDEST)
        )  # days that are known, zero outside the city
        inside = (age > 0).to(past.dtype)[:, None]
        rates = past[:, :-1].unflatten(1, (sum(self.rows), self.types))
        days = torch.amax(age, dim=(1, 2))[:, None]
        half_lives = torch.exp2(self.row)
        mass = (1 - torch.exp2(-days / half_lives)) * half_lives / math.log(2)
        mass = torch.cat([mass[:, : self.rows[0]], mass[:, self.rows[0] :] / WEEK], dim=1)
        # All between the two of the row that are nearest; a sum over all of it would round by the batch's size.
        (low, high), part = self._nearest()
        shorter, longer = (1 - part) * mass[:, low], part * mass[:, high]  # (B, J)
        behind = shorter + longer
        beside = (longer / behind.clamp(min=TINY))[:, :, None, None, None]
        mixed = torch.lerp(rates.index_select(1, low), rates.index_select(1, high), beside)
        spread = self.spreads()
        sharp = self.count[0] // 2
        wide = self._blurred(mixed[:, sharp:], inside, spread[sharp:])
        blurred = torch.cat([mixed[:, :sharp], wide], dim=1)
        cells = inside.sum(dim=(1, 2, 3)).clamp(min=1.0)
        mean = mixed.sum(dim=(3, 4), keepdim=True) / cells[:, None, None, None, None]
        known = (behind * (4 * math.pi * spread**2).clamp(min=1.0))[:, :, None, None, None]
        evidence = torch.exp(FASTER * self.log_evidence)[None, :, None, None, None]
        made = (known * blurred + evidence * mean) / (known + evidence)
        made = torch.cat([made, mean[:, :sharp].expand(-1, -1, -1, *made.shape[3:])], dim=1)
        longest = mean[:, sharp - 1 : sharp]
        # No counts are below zero, but who tries the layer with other inputs may get there.
        against = (made.clamp(min=0) + TINY).log() - (longest.clamp(min=0) + TINY).log()
        return (against.flatten(1, 2) * inside).contiguous(memory_format=torch.channels_last)

    def _on_the_row(self) -> list[tuple[Tensor, Tensor]]:
        """Of all steps and of the same weekday: where memories lie (log2 of days), and the row that they lie on."""
        made = []
        for own, row in zip(
            self.log_half_life.split(self.count), self.row.split(self.rows), strict=True
        ):
            if len(own):
                made.append(((FASTER * own).clamp(row[0], row[-1]), row))
        return made

    def _nearest(self) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """The places in the row below and above each memory's half-life, (J,) each, and how far it lies between."""
        lows, highs, parts, first = [], [], [], 0
        for place, row in self._on_the_row():
            last = len(row) - 1
            after = torch.searchsorted(row, place.detach()).clamp(min(1, last), last)
            before = (after - 1).clamp(min=0)
            wide = (row[after] - row[before]).clamp(min=TINY)
            lows.append(first + before)
            highs.append(first + after)
            parts.append(((place - row[before]) / wide).clamp(0, 1))
            first += len(row)
        return (torch.cat(lows), torch.cat(highs)), torch.cat(parts)

    def _blurred(self, maps: Tensor, inside: Tensor, spread: Tensor) -> Tensor:
        """A Gaussian of each memory's own spread, over the cells of the city alone."""
        count = maps.shape[1]
        away = torch.arange(-REACH, REACH + 1, dtype=maps.dtype, device=maps.device)
        line = torch.exp(-0.5 * (away / spread.clamp(min=LEAST)[:, None]) ** 2)
        line = line / line.sum(dim=1, keepdim=True)
        together = maps.transpose(1, 2).flatten(0, 1)
        found = _along(together, line)
        # The city is the same at all steps from which something is known: then one sample's is enough.
        alike = not torch.compiler.is_compiling() and torch.equal(
            inside, inside[:1].expand_as(inside)
        )
        city = (inside[:1] if alike else inside).expand(-1, count, -1, -1)
        area = _along(city, line).clamp(min=TINY)
        shaped = found.unflatten(0, (len(maps), self.types)).transpose(1, 2)
        return shaped / area[:, :, None]


class Contrast(nn.Module):
    """What each of the first `of` maps of a type says beside the one that is numbered `against`; the others as they are.

    Memories of like half-lives say nearly the same, and what tells is by how little they differ: of the maps as they
    are, training in the same number of steps gets no farther than half way (on Chicago's year).
    """

    beside: Tensor

    def __init__(self, laid: Laid, types: int) -> None:
        super().__init__()
        self.types, self.against = types, laid.options["against"]
        number = torch.arange(laid.shape[0] // types)
        beside = (number < laid.options["of"]) & (number != self.against)
        self.register_buffer("beside", beside.float()[:, None, None, None], persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        parts = maps.unflatten(1, (-1, self.types))
        other = parts[:, self.against : self.against + 1]
        return (parts - self.beside * other).flatten(1, 2)


class Mixture(nn.Module):
    """A forecast from memories: log Σ_j w_j m_j / μ + calendar · l for each type, weighted by calendar and state; C channels.

    Takes features and what a memory layer gives. w_j = softplus(b_j + calendar · u_j + features · v_j), which starts
    at equal shares; l is the whole city's level by the calendar, zero at the start. With constant weights it is a Hawkes process whose kernels are exponential in time and Gaussian
    in space (Hawkes 1971, Biometrika 58), its background the longest memory.
    """

    wants_calendar = True

    def __init__(self, laid: Laid, calendar: int) -> None:
        super().__init__()
        features, memories = laid.takes[0][0], laid.takes[1][0]
        self.types = laid.shape[0]
        self.state = nn.Conv2d(features, memories, 1)
        self.calendar = nn.Linear(calendar, memories)
        self.level = Level(calendar, self.types)
        for weight in (*self.state.parameters(), *self.calendar.parameters()):
            nn.init.zeros_(weight)
        count = memories // self.types
        self.weight = nn.Parameter(torch.full((memories,), math.log(math.expm1(1 / count))))

    def forward(self, features: Tensor, memories: Tensor, calendar: Tensor) -> Tensor:
        stated = self.state(features) + self.calendar(calendar)[:, :, None, None]
        weight = functional.softplus(self.weight[:, None, None] + stated)
        parts = (weight * torch.exp(memories)).unflatten(1, (-1, self.types))
        return torch.log(parts.sum(dim=1) + TINY) + self.level(calendar)


class Level(nn.Module):
    """How much more happens in all of the city on such a day, as a logarithm: linear in the calendar.

    Steps are larger than those of other weights, and nothing decays: Christmas comes once a year.
    """

    def __init__(self, calendar: int, types: int) -> None:
        super().__init__()
        self.weight_decay = 0.0
        self.weight = nn.Parameter(torch.zeros(types, calendar))

    def forward(self, calendar: Tensor) -> Tensor:
        return functional.linear(calendar, FASTER * self.weight)[:, :, None, None]


def _along(maps: Tensor, line: Tensor) -> Tensor:
    """Blur each channel of (B, J, H, W) by its own (J, 2R + 1), along the rows and along the columns."""
    reach, count = line.shape[1] // 2, len(line)
    down = functional.conv2d(maps, line[:, None, :, None], padding=(reach, 0), groups=count)
    return functional.conv2d(down, line[:, None, None, :], padding=(0, reach), groups=count)
