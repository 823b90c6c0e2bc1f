"""What a finding means for whoever uses the forecast: a name in plain words, and a sentence."""

MEANING: dict[str, tuple[str, str]] = {
    "dead_units": ("Parts of it do nothing", "Some parts of the network give the same value everywhere and always: it knows less than it could."),
    "saturated_units": ("Parts of it are stuck at an end", "Some parts of the network can no longer tell busy from busier."),
    "redundant_channels": ("Parts of it say the same", "It costs more than it has to; the forecast itself need not be worse."),
    "too_narrow": ("It has a bottleneck", "All it knows passes through too few numbers, so that differences between places or days get lost."),
    "too_wide": ("It is larger than needed", "It costs more than it has to; the forecast itself need not be worse."),
    "same_memories": ("Some of its memories are the same", "It costs more than it has to; the forecast itself need not be worse."),
    "unread_memories": ("Some of its memories are read by nobody", "It costs more than it has to; the forecast is the same without them."),
    "receptive_field_too_small": ("It doesn't look far enough", "Events bring others at a distance that this network can't see: it misses what spreads from nearby."),
    "receptive_field_too_large": ("It looks farther than it uses", "It costs more than it has to; the forecast itself need not be worse."),
    "vanishing_gradients": ("Parts of it hardly learnt", "Some parts are nearly as they were before training: the forecast falls short of what the design could do."),
    "exploding_gradients": ("Its training was out of control", "It took steps far too large: don't use its forecast before it was trained again."),
    "unstable_loss": ("Its training was unsteady", "Trained once more it may come out otherwise: compare several trainings before you rely on one."),
    "underfit": ("It has not learnt enough", "There is more in the records than it found: the forecast is weaker than it could be."),
    "overfit": ("It learnt its past by heart", "It is good on days it was shown and worse on new ones: expect less of it than its training suggests."),
    "collapsed_to_mean": ("It says nearly the same everywhere", "It hardly tells quiet places from busy ones: don't choose places by it."),
    "ignored_input": ("It doesn't use all it was given", "Some of what it was given has no part in the forecast: don't take the forecast as if it took that into account."),
    "masked_input": ("Part of its past is covered", "Some of the earlier days it was given never reach the forecast: it knows less than it could."),
    "checkerboard": ("It draws patterns that aren't there", "Neighbouring cells differ by the way the network is built, not by what happened: don't compare single neighbouring cells."),
    "border_artifact": ("It is wrong at the city's edge", "Cells at the edge get too much or too little: read them with care."),
    "leakage": ("It knows what it can't know", "Something it was given holds the answer: its scores are too good to be true."),
    "miscalibrated": ("Its numbers are too high or too low", "The order of places may be right, but the expected counts aren't: don't plan by their size."),
    "worse_than_baseline": ("A simple forecast does better", "Use the simple one that it is compared with."),
    "misaligned": ("Its map is turned or moved", "What it expects at one place fits another: don't choose places by it."),
    "wrong_lag_order": ("Its days are in the wrong order", "It takes earlier days for later ones: the forecast is weaker than it could be."),
    "not_repeatable": ("It doesn't say the same twice", "Asked again it gives another forecast: don't rely on small differences."),
    "train_forecast_gap": ("It forecasts otherwise than it was trained", "Something behaves differently outside of training: the forecast is weaker than it could be."),
    "clamped": ("Its numbers are cut off", "Below or above a bound it can't go, though the counts do: busy or quiet cells are wrong."),
    "wrong_scale": ("Its numbers are on another scale", "It raises and lowers places too much, or too little: the order of places may be right, their expected counts aren't."),
    "rate_for_log": ("Its numbers are on another scale", "It can't say that a place is quiet: don't plan by its numbers."),
    "frozen": ("Part of it could not learn", "A part of the network was left as it was drawn by chance."),
    "too_much_decay": ("It was held back in training", "It was not allowed to say how much places differ: the forecast is weaker than it could be."),
    "too_thin": ("Too few events for so fine a grid", "Cells or steps are so small that chance decides: larger ones would tell more."),
    "default_location": ("One place holds records of many", "Records without a place were put on one spot: don't believe its count."),
    "late_records": ("The last days are not all there", "Recent records are still to come: the latest counts are too low, and what is forecast from them."),
    "break_in_data": ("The records change at a date", "What was recorded changed, not what happened: times before and after don't compare."),
    "unused_layer": ("Part of it is not used", "It costs more than it has to; the forecast itself need not be worse."),
}  # fmt: skip


def means(code: str) -> tuple[str, str]:
    """A finding's name in plain words and what it means for a user of the forecast.

    >>> means("worse_than_baseline")
    ('A simple forecast does better', 'Use the simple one that it is compared with.')
    """
    other = (code.replace("_", " ").capitalize(), "It was found by another version of CrimeCast.")
    return MEANING.get(code, other)
