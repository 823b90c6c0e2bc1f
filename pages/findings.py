"""Findings: what is wrong with a network, by which numbers, and the change that may mend it."""

import streamlit as st

from crimecast import UserError
from crimecast.designs.spec import to_toml
from crimecast.diagnose import Finding
from crimecast.diagnose.kept import findings_of
from crimecast.diagnose.meaning import means
from crimecast.diagnose.own_file import line_of_run
from crimecast.diagnose.patch import patched
from crimecast.judging.scoring import said
from crimecast.lineage.steer import fork
from crimecast.lineage.tree import tried
from crimecast.reporting.report import report
from crimecast.runs.run import Run
from crimecast.views.design import spec_diff
from crimecast.views.words import FIT, forecast_title
from pages.parts.astray import in_common, worst_of
from pages.parts.effect import what_it_did
from pages.parts.frame import frame, trained
from pages.parts.guarding import guarded
from pages.parts.judged import loses, strongest
from pages.parts.people import operator_button
from pages.parts.progress import live
from pages.parts.reader import designer
from pages.parts.text import text

MARK = {"high": ":material/error:", "medium": ":material/warning:", "low": ":material/info:"}
WORD = {"high": "mend this first", "medium": "worth a try", "low": "good to know"}
GRAVE = {"high": "serious", "medium": "to be kept in mind", "low": "good to know"}

here = frame(
    "Findings",
    "What is wrong with the network, where, by which numbers, and what to change. A healthy one has none."
    if designer()
    else "What is wrong with the forecast, and what that means for whoever uses it.",
)
run = trained(here)


def changed(run: Run, finding: Finding, number: int) -> None:
    """The patch as a diff of the spec, and the button that trains it."""
    try:
        design = patched(run.design, finding.patch)
    except UserError as error:
        st.caption(f"The change can't be made by itself: {text(error)}")
        return
    st.code(spec_diff(to_toml(run.design), to_toml(design), (run.id, "its fork")), language="diff")
    child = tried(run, design)
    label = "Fork, change and train" if child is None else "Train it once more"
    if (child is None or not child.active) and operator_button(
        label, key=f"fork_{number}", icon=":material/call_split:"
    ):
        try:
            fork(run, finding.patch)
            st.rerun()
        except UserError as error:
            st.error(text(error), icon=":material/error:")
    if child is not None:
        became(child)


def became(child: Run) -> None:
    """A fork as it trains, and then what it did, where it was asked for."""
    live(child)
    if child.state != "done":
        return
    what_it_did(child)
    to = {**st.query_params, "run": child.id, "with": f"{run.id},{child.id}", "against": run.id}
    with st.container(horizontal=True):
        st.page_link(
            "pages/compare.py", label="Compare the two", icon=":material/balance:", query_params=to
        )
        st.page_link(
            "pages/findings.py",
            label="What is wrong with it now",
            icon=":material/stethoscope:",
            query_params=to,
        )


def healthy() -> None:
    """What to say of a network without a finding: that by itself makes it no good one."""
    if not loses(run) and worst_of(run):
        st.info(
            "No rule finds a fault in the network. Its errors on unseen days have something in common all the same: what the city did there, it was "
            "not taught.",
            icon=":material/info:",
        )
        return
    if not loses(run):
        st.success(
            "Nothing was found: this network is healthy by all rules.", icon=":material/check:"
        )
        return
    best, versus = strongest(run)
    much = said(versus, swapped=True, unit=FIT.plain)[1]
    st.warning(
        f"No rule finds a fault in it, and yet it is worse than *{text(forecast_title(best))}* on unseen data: {text(much)}. "
        "It learnt too little, or its design can't tell more than simple counting does.",
        icon=":material/trending_down:",
    )
    to = dict(st.query_params)
    with st.container(horizontal=True):
        st.page_link(
            "pages/compare.py",
            label="Compare it with simple forecasts",
            icon=":material/balance:",
            query_params=to,
        )
        if designer() and run.spec:
            st.page_link(
                "pages/design.py", label="Train it longer, or change it", icon=":material/account_tree:",
                query_params={**to, "fork": run.id},
            )  # fmt: skip


def following(finding: Finding) -> None:
    """What follows from a finding: each in a line, with all layers that show it."""
    under: dict[str, list[Finding]] = {}
    for one in finding.whole()[1:]:
        under.setdefault(one.code, []).append(one)
    for code, several in under.items():
        layers = ", ".join(f"*{text(one.layer)}*" for one in several if one.layer)
        name = text(code.replace("_", " ").capitalize())
        st.markdown(f"- **{name}**{f' in {layers}' if layers else ''}. {text(several[0].advice)}")


def on_unseen_days() -> None:
    """Where and when it goes wrong after all, which no rule about a network can know."""
    heading = st.empty()
    if in_common(run):
        heading.markdown("**On unseen days** its errors have in common, beyond chance:")
        if designer() and run.spec:
            st.markdown(
                "Where the city has changed since the training, a fork that is trained until a later day has seen the change: set *Train until* and "
                "*Validate until* later there. Where it hasn't, inputs that forget faster, or wider spreads, may follow it."
            )
            st.page_link(
                "pages/design.py", label="Train a fork until a later day", icon=":material/account_tree:",
                query_params={**st.query_params, "fork": run.id},
            )  # fmt: skip


def look() -> None:
    place = st.empty()

    def told(rule: str, share: float) -> None:
        looked = f"rule by rule, now {rule}" if designer() else "rule by rule"
        place.progress(share, text=f"Looking for what is wrong, {text(looked)}")

    with st.spinner("Diagnosing …"):
        findings = findings_of(run, told)
    place.empty()
    if not findings:
        healthy()
    if not designer():
        for finding in findings:
            plain, meaning = means(finding.code)
            st.markdown(f"{MARK[finding.severity]} **{text(plain)}** · {GRAVE[finding.severity]}")
            st.markdown(text(meaning))
        on_unseen_days()
        st.caption(
            "Each with its numbers, its place in the network and the change that may mend it: for a designer."
        )
        write_report()
        return
    first = next((one for one in findings if one.patch), None)
    for number, finding in enumerate(findings):
        with st.container(border=True):
            where = f" in *{text(finding.layer)}*" if finding.layer else ""
            name = text(finding.code.replace("_", " ").capitalize())
            st.markdown(f"{MARK[finding.severity]} **{name}**{where} · {WORD[finding.severity]}")
            st.markdown(text(finding.advice))
            with st.container(horizontal=True, vertical_alignment="center"):
                if finding.layer:
                    st.page_link(
                        "pages/layers.py", label="See the layer", icon=":material/layers:",
                        query_params={**st.query_params, "layer": finding.layer},
                    )  # fmt: skip
                if not finding.patch and run.spec:
                    st.page_link(
                        "pages/design.py", label="Change the design yourself", icon=":material/account_tree:",
                        query_params={**st.query_params, "fork": run.id},
                    )  # fmt: skip
            with st.expander("The numbers it was judged by"):
                st.dataframe(
                    [{"number": key.replace("_", " "), "value": str(value)} for key, value in finding.evidence.items()],
                    hide_index=True,
                )  # fmt: skip
            if finding.consequences:
                with st.expander("Which is why"):
                    following(finding)
            if finding.patch and run.spec:
                with st.expander("The change, and what it does", expanded=finding is first):
                    changed(run, finding, number)
            if (line := line_of_run(run, finding)) is not None:
                with st.expander(f"Line {line.number:d} of your file", expanded=bool(line.diff)):
                    st.code(line.diff or line.text, language="diff" if line.diff else "python")
    on_unseen_days()
    st.caption(
        "Rules judge the validation period; how each does on networks that were made sick on purpose is in the project's README. What follows from another finding stands under it."
    )
    write_report()


def write_report() -> None:
    """All of it in a file."""
    if st.button(
        "Make a report",
        icon=":material/description:",
        help="One HTML file: scores, maps, layers, findings, model card.",
    ):
        with st.spinner("Writing …"):
            page = report(run)
        st.download_button("Save the report", page, f"{run.id}.html", "text/html")


guarded(look)
