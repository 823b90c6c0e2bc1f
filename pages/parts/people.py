"""Who sits in front: the login where one is configured, else whoever sits at this computer."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from crimecast.server.uploads import guests
from crimecast.storage.access import Actor, actor, identify, local_user, person
from pages.parts.text import text

NOBODY = Actor("nobody", False)


def login_is_configured() -> bool:
    """Whether the server's secrets name an identity provider ([auth], see docs/server.md)."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def who() -> Actor:
    """Who acts in this session."""
    if not login_is_configured():
        return local_user()
    if get_script_run_ctx() is None or not st.user.is_logged_in:
        return NOBODY
    email = st.user.get("email")
    name = str(email or st.user.get("sub") or "nobody")
    # An address that the provider does not say it has verified is a claim, not a proof.
    proven = isinstance(email, str) and st.user.get("email_verified") is True
    return person(name) if proven else Actor(name, False)


def admit() -> None:
    """Let in whoever may come in; everybody else gets a page that says what to do."""
    identify(who)
    _ask_for_entry()
    session, me = get_script_run_ctx(), actor()
    if session is not None and me.operator:
        guests.let_in(session.session_id, me.name)
    elif session is not None:
        guests.turn_out(session.session_id)


def _ask_for_entry() -> None:
    if not login_is_configured():
        if not _from_here(st.context.ip_address):
            st.error(
                "This server has no login, so it answers this computer alone. Its owner can set up a login: "
                "docs/server.md says how.",
                icon=":material/lock:",
            )
            st.stop()
    elif not st.user.is_logged_in:
        st.title("CrimeCast", anchor=False)
        st.write(
            "See why a forecasting network is wrong, change its design, and see whether it got better."
        )
        st.button("Log in", type="primary", icon=":material/login:", on_click=st.login)
        st.stop()


def who_is_here() -> None:
    """At the end of the sidebar: who one is, and what one may do."""
    if not login_is_configured():
        st.caption("No login: this server answers this computer alone.")
        return
    me = actor()
    st.caption(f"{text(me.name)} · {'operator' if me.operator else 'viewer'}")
    st.button("Log out", icon=":material/logout:", on_click=st.logout)


def operator_button(label: str, **options: Any) -> bool:
    """A button for something that only operators may do; for a viewer it is off and says so."""
    return bool(st.button(label, **options | locked()))


def for_operators(draw: Callable[[], None]) -> Callable[[], None]:
    """What draws something that only operators may use; a viewer is told so, and nothing else is
    done."""

    def drawn() -> None:
        if actor().operator:
            draw()
        else:
            st.caption("Only operators may do this.")

    return drawn


def locked() -> dict[str, Any]:
    """Options of a button that changes something: none for an operator."""
    return {} if actor().operator else {"disabled": True, "help": "Only operators may do this."}


def _from_here(address: str | None) -> bool:
    """Streamlit gives no address for this computer itself."""
    try:
        return address is None or ip_address(address).is_loopback
    except ValueError:
        return False
