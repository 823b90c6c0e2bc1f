"""What stands between the app and whoever sends it something: ASGI middleware, without Streamlit."""
