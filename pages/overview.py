"""Overview: where things stand, and the next thing to do."""

import streamlit as st

from crimecast.diagnose.finding import Finding
from crimecast.diagnose.kept import known_findings
from crimecast.diagnose.meaning import means
from crimecast.diagnose.patch import patched
from crimecast.forecasting.forecasts import rivals, versus
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.complete import not_whole
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import said
from crimecast.lineage.tree import tried
from crimecast.live.plan import plan_of
from crimecast.live.standing import state_of
from crimecast.runs.progress import line, share
from crimecast.runs.run import Run, list_runs
from crimecast.views.tomorrow import tomorrow_view
from crimecast.views.words import FIT, MISFIT, forecast_title
from pages.parts.astray import in_common
from pages.parts.bin import bin_panel
from pages.parts.frame import frame, no_grid, trained
from pages.parts.guarding import guarded
from pages.parts.judged import loses, score_rows, strongest
from pages.parts.maps import maps
from pages.parts.reader import designer
from pages.parts.tell import since_last_visit
from pages.parts.text import text
from pages.parts.tour import tour_link

here = frame(
    "Overview",
    "See why a forecasting network is wrong, change its design, and see whether it got better."
    if designer()
    else "What is forecast, how good it has been, and whether to trust it.",
)
if here.grid is None:
    guarded(bin_panel)
    no_grid(here)

grid = here.grid
guarded(since_last_visit)


def tomorrow() -> None:
    """Of a live city the next step comes first."""
    plan = plan_of(here.city.name)
    if plan is None or not state_of(here.city.name):
        return
    view = tomorrow_view(plan.names[0], plan.grid)
    kind = len(view.made.kinds) - 1
    expected, low, high = view.made.total(0, kind)
    st.subheader(text(view.label(0)))
    st.markdown(
        f"**{expected:,.1f}** events expected, most likely between **{low:,d}** and **{high:,d}**; usual are "
        f"{view.usual[kind].sum():,.1f}. Forecast by {text(forecast_title(plan.names[0]))}."
    )
    maps(view.message(0, kind, 5), key="overview_tomorrow")
    st.page_link(
        "pages/tomorrow.py", label="Where to look, and why there", icon=":material/arrow_forward:",
        query_params=dict(st.query_params),
    )  # fmt: skip
    st.subheader("What it comes from")


guarded(tomorrow)
columns = st.columns(4)
columns[0].metric("Events in the grid", f"{grid['events']:,}")
columns[1].metric("Areas" if grid.get("areas") else "Cells in the city", f"{grid['cells']:,}")
long = load_cube(grid["grid"]).step.words
columns[2].metric(
    text(f"{long.capitalize()}s" if long.isalpha() else f"Steps of {long}"),
    f"{grid['shape'][0]:,}",
    help=f"{text(grid['first'][:10])} to {text(grid['last'][:10])}",
)
runs = list_runs(grid["grid"])
columns[3].metric("Runs", len(runs))


def running() -> None:
    """What trains or waits, on whichever grid."""
    st.subheader("Running now")
    active = [one for one in list_runs() if one.active]
    if not active:
        st.caption("Nothing.")
    for one in active:
        st.progress(share(one), text=text(f"{one.id}: {line(one)}"))


if here.run is None or here.run.state != "done":
    guarded(bin_panel)
run = trained(here)
done = [
    one for one in runs if one.state == "done" and one.summary.get("validation_loss") is not None
]
# Chosen by validation alone: picking by the unseen data would use them up.
same = [one for one in done if one.settings.validate == run.settings.validate]
best_run = min(same, key=lambda one: one.summary["validation_loss"], default=run)


def other_run(one: Run, label: str) -> None:
    """A link to this page with another run."""
    st.page_link(
        "pages/overview.py", label=label, icon=":material/arrow_forward:",
        query_params={**st.query_params, "run": one.id},
    )  # fmt: skip


def standing() -> None:
    rows = score_rows(run, tuple(rivals(run, *unseen_period(run))))
    best, versus = strongest(run)
    word, much = said(versus, swapped=True, unit=FIT.plain)
    st.subheader(f"{text(run.id)} is {text(word)} the best simple forecast")
    st.markdown(
        f"On unseen data from {text(run.settings.validate_until[:10])} on, against *{text(forecast_title(best))}*: {text(much)}. {text(not_whole(load_cube(run.grid)))}"
    )
    st.dataframe(
        [
            {
                "forecast": forecast_title(row["name"]),
                FIT.plain: row["log_likelihood_per_event"],
                "hits in 1 % of the area": 100 * row["hit_rate@1"],
                "hits in 5 % of the area": 100 * row["hit_rate@5"],
            }
            | ({MISFIT.plain: row["poisson_deviance"]} if designer() else {})
            for row in sorted(rows, key=lambda row: -row["log_likelihood_per_event"])
        ],
        hide_index=True,
        column_config={
            FIT.plain: st.column_config.NumberColumn(format="%.4f", help=FIT.help),
            "hits in 1 % of the area": st.column_config.NumberColumn(
                format="%.1f %%",
                help="Share of events inside the 1 % of cells forecast highest. Higher is better.",
            ),
            "hits in 5 % of the area": st.column_config.NumberColumn(
                format="%.1f %%", help="The same for 5 % of the cells."
            ),
            MISFIT.plain: st.column_config.NumberColumn(format="%.4f", help=MISFIT.help),
        },
        alt="Scores of the run and of simple forecasts",
    )


def what_was_found(findings: list[Finding] | None) -> None:
    """The worst of the findings, each in a line."""
    st.subheader("What was found")
    if findings is None:
        st.caption(f"{text(run.id)} was not diagnosed yet.")
    elif not findings:
        yet = ", and yet simple counting does better" if loses(run) else ""
        st.caption(f"No rule finds a fault in {text(run.id)}{text(yet)}.")
    for finding in (findings or [])[:3]:
        if not designer():
            name, meaning = means(finding.code)
            st.markdown(f"- **{text(name)}**. {text(meaning)}")
            continue
        where = f" in *{text(finding.layer)}*" if finding.layer else ""
        st.markdown(
            f"- **{text(finding.code.replace('_', ' ').capitalize())}**{where} ({text(finding.severity)}). {text(finding.advice)}"
        )
    if findings is not None:
        st.page_link(
            "pages/findings.py",
            label="All findings, with their numbers",
            icon=":material/stethoscope:",
            query_params=dict(st.query_params),
        )


def trust() -> None:
    """Where an analyst goes on to."""
    st.write("See where it was wrong, whether it holds where it never trained, and for whom.")
    for page, label, icon in (
        ("pages/forecast.py", "Where it was wrong", ":material/map:"),
        ("pages/unseen.py", "Whether it holds elsewhere", ":material/travel_explore:"),
        ("pages/compare.py", "Against other forecasts, and for whom", ":material/balance:"),
    ):
        st.page_link(page, label=label, icon=icon, query_params=dict(st.query_params))


def where_wrong() -> None:
    """What its errors on unseen days have in common, the worst two."""
    in_common(run, "On unseen days: ")


def better_by_validation(other: Run) -> bool:
    """Whether another run is better on the steps for choosing, and not by chance."""
    first = max(run.settings.train, other.settings.train)
    with st.spinner("Comparing the runs …"):
        made = versus(other.id, run.id, run.grid, first, run.settings.validate)
    return str(made["verdict"]) == "better"


def what_next(findings: list[Finding] | None) -> None:
    """One thing to try."""
    st.subheader("What to try next")
    if not designer():
        trust()
        return
    advised = next((f for f in findings or [] if f.patch), None)
    child = tried(run, patched(run.design, advised.patch)) if advised and run.spec else None
    seeds = [one for one in same if one.spec == run.spec]
    to = dict(st.query_params)
    if best_run.id != run.id and better_by_validation(best_run):
        st.write(
            f"{text(best_run.id)} does best on the steps for choosing of {len(same)} runs with these periods: start from it."
        )
        other_run(best_run, f"Go to {text(best_run.id)}")
    elif findings is None:
        st.write("Let the network be diagnosed: a finding comes with the change that may mend it.")
        st.page_link(
            "pages/findings.py", label="Diagnose it", icon=":material/stethoscope:", query_params=to
        )
    elif child is not None and child.active:
        st.write(
            f"{text(child.id)} answers *{text((advised.code if advised else '').replace('_', ' '))}*, and trains: see then what it did."
        )
        st.page_link(
            "pages/findings.py",
            label="See it train",
            icon=":material/model_training:",
            query_params=to,
        )
    elif child is not None and child.state == "done":
        st.write(f"{text(child.id)} was made to answer what was found: see what it did.")
        other_run(child, f"Go to {text(child.id)}")
    elif advised:
        fields = ", ".join(f"{path} = {value}" for path, value in list(advised.patch.items())[:2])
        st.write(
            f"Fork {text(run.id)} with {text(fields)}: it answers *{text(advised.code.replace('_', ' '))}*."
        )
        st.page_link(
            "pages/findings.py",
            label="See the change",
            icon=":material/call_split:",
            query_params=to,
        )
    elif run.spec and loses(run):
        why = findings[0].advice if findings else "Give it more records, or change its design."
        st.write(f"Simple counting does better than {text(run.id)}. {text(why)}")
        st.page_link(
            "pages/design.py", label="Change the design", icon=":material/account_tree:",
            query_params={**to, "fork": run.id},
        )  # fmt: skip
    elif len(seeds) < 3:
        st.write(
            f"Train the same design with other seeds ({len(seeds)} of 3 so far): their spread says how much of the score is luck, and their average is mostly better than each."
        )
        st.page_link(
            "pages/design.py",
            label="Train another seed",
            icon=":material/account_tree:",
            query_params={**to, "fork": run.id},
        )
    else:
        st.write(
            "See whether it holds where it never trained: later, elsewhere in the city, in another city."
        )
        st.page_link(
            "pages/unseen.py",
            label="Judge it on unseen data",
            icon=":material/travel_explore:",
            query_params=to,
        )


guarded(standing)
found = known_findings(run)
left, right = st.columns(2)
with left:
    what_was_found(found)
    guarded(where_wrong)
with right:
    what_next(found)
    running()
st.subheader("Look closer")
with st.container(horizontal=True):
    tour_link()
    to = dict(st.query_params)
    st.page_link("pages/tomorrow.py", label="The days to come", icon=":material/event_upcoming:", query_params=to)  # fmt: skip
    st.page_link("pages/forecast.py", label="Forecast beside fact", icon=":material/map:", query_params=to)  # fmt: skip
    if designer():
        st.page_link("pages/layers.py", label="What each layer sees", icon=":material/layers:", query_params=to)  # fmt: skip
        st.page_link("pages/design.py", label="Change the design", icon=":material/account_tree:", query_params=to)  # fmt: skip
guarded(bin_panel)
