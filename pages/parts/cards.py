"""A spec's layers as cards: what each gives, and the chosen one's options to change."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from crimecast import UserError
from crimecast.designs import editing
from crimecast.designs.given import ACTIVATIONS, NORMS
from crimecast.designs.inputs import CALENDAR
from crimecast.designs.kinds import KINDS
from crimecast.designs.shapes import Laid
from crimecast.designs.spec import LIKELIHOODS, OFFSETS, Design, to_toml
from pages.parts.draft import Draft
from pages.parts.text import text

WORDS = {"activation": ACTIVATIONS, "norm": NORMS, "method": ("mean", "max")}
HELP = {
    "channels": "Maps that the layer puts out.",
    "kernel": "Cells on a side that each output cell is made from; odd.",
    "stride": "2 halves the map.",
    "dilation": "Cells between those the kernel takes.",
    "groups": "Parts that the channels are split into.",
    "norm": "Brings channels to one scale before the activation.",
    "activation": "What bends the output; none leaves it linear.",
    "rate": "Share of channels left out at random while training.",
    "weight_decay": "How strongly its weights are drawn to zero.",
    "reduction": "How many times narrower the gate is.",
    "like": "The layer whose map size it goes back to.",
    "sequence": "Give the map of every step, not the last alone.",
}


def cards(design: Design, laid: list[Laid] | None, sees: dict[str, str], draft: Draft) -> None:
    """One card a layer, in order; the chosen one can be changed."""
    shapes = {p.layer.name: p for p in laid or []}
    chosen = st.session_state.get("design_card")
    for number, layer in enumerate(design.layers):
        own = shapes.get(layer.name)
        with st.container(border=True, key=f"card_{number}"):
            facts = []
            if own:
                facts = ["×".join(map(str, own.shape)), f"{own.parameters:,} weights"]
                if layer.name in sees:
                    facts.append(sees[layer.name])
            options = ", ".join(f"{k} {v}" for k, v in layer.options.items())
            facts = [*facts, options] if options else facts
            opened = layer.name == chosen
            with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
                st.markdown(
                    f"**{text(layer.name)}** · {text(layer.kind)}  \n:small[:gray[{text(' · '.join(facts) or 'no options')}]]",
                    width="stretch",
                )
                st.button(
                    "Close" if opened else "Change",
                    key=f"open_{number}", on_click=_choose, args=(None if opened else layer.name,),
                    help=f"Options of {text(layer.name)}",
                )  # fmt: skip
            if opened:
                _options(design, number, draft)


def inputs_and_training(design: Design, draft: Draft) -> None:
    """What the network is given, what it corrects, and how it is trained."""
    columns = st.columns(2)
    with columns[0]:
        _pick(design, draft, "offset", "Offset", list(OFFSETS), "What the network corrects.")
        _numbers(design, draft, "lags", "Lags", "Steps back, separated by commas.", int)
        _numbers(
            design, draft, "memories", "Memories", "Half-lives in days, as input maps.", _number_of
        )
        _numbers(design, draft, "blurs", "Blurs", "Widths of the memories in cells.", _number_of)
        _numbers(
            design, draft, "surprises", "Surprises",
            "Half-lives in days of how much more than expected happened, as input maps.", _number_of,
        )  # fmt: skip
        _numbers(
            design,
            draft,
            "horizons",
            "Horizon",
            "Steps ahead, one or several in rising order.",
            int,
        )
    with columns[1]:
        _pick(
            design,
            draft,
            "likelihood",
            "Likelihood",
            list(LIKELIHOODS),
            "How counts scatter round the rate.",
        )
        _several(
            design, draft, "calendar", "Calendar", list(CALENDAR), "What it is told of the day."
        )
        _number(
            design, draft, "position", "Position", "Waves that say where on the map a cell lies; 0: none.",
            design.position, 0,
        )  # fmt: skip
        for field, label, text in (
            ("learning_rate", "Learning rate", "Size of a step; from 1e-4 to 1e-2 as a rule."),
            ("weight_decay", "Weight decay", "How strongly weights are drawn to zero."),
        ):
            _number(
                design, draft, f"training.{field}", label, text, getattr(design.training, field)
            )
        for field, label, text in (
            ("batch", "Batch", "Steps that one update is made from."),
            ("epochs", "Epochs", "Passes over the training period."),
            ("patience", "Patience", "Epochs without getting better after which it stops."),
        ):
            _number(
                design, draft, f"training.{field}", label, text, getattr(design.training, field)
            )


def _number_of(text: str) -> float:
    """A number as it would be written: 3, not 3.0."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _choose(name: str | None) -> None:
    st.session_state["design_card"] = name


def _apply(draft: Draft, change: Callable[[Any], Design], widget: str | None) -> None:
    """Make a change with the widget's new value; what can't be made leaves the spec as it is."""
    if not draft.is_shown:
        return
    try:
        draft.write(to_toml(change(st.session_state[widget] if widget else None)))
    except UserError as error:
        draft.refuse(str(error))


def _options(design: Design, number: int, draft: Draft) -> None:
    layer = design.layers[number]
    before = ["frames", "history", "maps", *(x.name for x in design.layers[:number])]
    took = [*layer.inputs] or [design.layers[number - 1].name if number else "frames"]
    name, kind, takes = f"{draft.key}_name", f"{draft.key}_kind", f"{draft.key}_takes"
    columns = st.columns(3)
    columns[0].text_input(
        "Name", layer.name, key=name,
        on_change=_apply, args=(draft, lambda v: _renamed(design, layer.name, v), name),
    )  # fmt: skip
    columns[1].selectbox(
        "Kind", list(KINDS), list(KINDS).index(layer.kind) if layer.kind in KINDS else 0, key=kind,
        on_change=_apply, args=(draft, lambda v: editing.set_kind(design, layer.name, v), kind),
    )  # fmt: skip
    columns[2].multiselect(
        "Takes", list(dict.fromkeys([*before, *took])), took, key=takes,
        help="frames: lagged counts and input maps; history: the lagged counts as a sequence.",
        on_change=_apply, args=(draft, lambda v: editing.set_inputs(design, layer.name, v), takes),
    )  # fmt: skip
    known = KINDS[layer.kind].options if layer.kind in KINDS else {}
    columns = st.columns(3)
    for at, (option, default) in enumerate(known.items()):
        with columns[at % 3]:
            _option(design, layer.name, option, layer.options.get(option, default), draft, before)
    with st.container(horizontal=True):
        for label, icon, change in (
            ("Earlier", ":material/arrow_upward:", lambda _: editing.move(design, layer.name, -1)),
            ("Later", ":material/arrow_downward:", lambda _: editing.move(design, layer.name, 1)),
            ("Copy", ":material/content_copy:", lambda _: editing.duplicate(design, layer.name)),
            ("Take out", ":material/delete:", lambda _: editing.remove(design, layer.name)),
        ):
            st.button(
                label,
                icon=icon,
                key=f"{draft.key}_{label}",
                on_click=_apply,
                args=(draft, change, None),
            )
    added = f"{draft.key}_add"
    st.selectbox(
        "Add after it", [*editing.BLOCKS, *KINDS], None, key=added, placeholder="A kind of layer, or a block",
        on_change=_apply, args=(draft, lambda v: editing.add(design, v, layer.name), added),
    )  # fmt: skip


def _renamed(design: Design, old: str, new: str) -> Design:
    made = editing.rename(design, old, new)
    _choose(new)
    return made


def _option(
    design: Design, layer: str, option: str, value: Any, draft: Draft, before: list[str]
) -> None:
    key, label = f"{draft.key}_{option}", text(option.replace("_", " ").capitalize())
    asked: dict[str, Any] = {
        "key": key, "help": HELP.get(option), "on_change": _apply,
        "args": (draft, lambda v: editing.set_option(design, layer, option, v), key),
    }  # fmt: skip
    words = before if option == "like" else WORDS.get(option)
    if words:
        st.selectbox(label, words, words.index(value) if value in words else 0, **asked)
    elif isinstance(value, bool):
        st.checkbox(label, value, **asked)
    elif isinstance(value, list):
        st.multiselect(label, list(design.lags), [v for v in value if v in design.lags], **asked)
    elif isinstance(value, int):
        st.number_input(label, 1, None, value, 2 if option == "kernel" else 1, **asked)
    else:
        st.number_input(label, 0.0, None, float(value), **asked)


def _pick(
    design: Design, draft: Draft, field: str, label: str, words: list[str], text: str
) -> None:
    key = f"{draft.key}_{field}"
    st.selectbox(
        label, words, words.index(getattr(design, field)), key=key, help=text,
        on_change=_apply, args=(draft, lambda v: editing.set_field(design, field, v), key),
    )  # fmt: skip


def _several(
    design: Design, draft: Draft, field: str, label: str, words: list[str], text: str
) -> None:
    key = f"{draft.key}_{field}"
    st.multiselect(
        label, words, [*getattr(design, field)], key=key, help=text,
        on_change=_apply, args=(draft, lambda v: editing.set_field(design, field, v), key),
    )  # fmt: skip


def _number(
    design: Design, draft: Draft, field: str, label: str, text: str, value: float, least: int = 1
) -> None:
    key = f"{draft.key}_{field}"
    whole = isinstance(value, int)
    st.number_input(
        label, least if whole else 0.0, None, value, key=key, help=text, format=None if whole else "%.5f",
        on_change=_apply, args=(draft, lambda v: editing.set_field(design, field, v), key),
    )  # fmt: skip


def _numbers(
    design: Design, draft: Draft, field: str, label: str, text: str, kind: Callable[[str], float]
) -> None:
    key = f"{draft.key}_{field}"

    def change(written: str) -> Design:
        try:
            values = [kind(part) for part in written.replace(";", ",").split(",") if part.strip()]
        except ValueError:
            raise UserError(f"{label}: write numbers separated by commas.") from None
        return editing.set_field(design, field, values)

    st.text_input(
        label, ", ".join(f"{v:g}" for v in getattr(design, field)), key=key, help=text,
        on_change=_apply, args=(draft, change, key),
    )  # fmt: skip
