"""What `streamlit run app.py` starts: the pages (`entry.py`), behind what guards them."""

from streamlit.starlette import App

from pages.parts.server import guards, keep_clean

app = App("entry.py", middleware=guards(), lifespan=keep_clean)
