"""How do the images lie as a layer sees them, and where in an image does it look?"""

from app import cached, failures
from app.chrome import header, require_teacher, short
from app.explain import explain
from app.sees import making, sees
from app.words import plain

TITLE = "What a layer sees"

analysis = require_teacher(TITLE)
actions = header(
    TITLE,
    f"{analysis.mapped:,} probe images on their way through the {len(analysis.layers)} layers of "
    f"{plain(short(analysis.card.teacher.spec))}: alike ones lie near each other",
)
actions.page_link("../pages/hint_points.py", label="Choose hint points")
with failures.shown():
    if cached.images(analysis):
        sees.see(analysis)
        explain("image map", "nearest images", "activation map")
    else:
        making.make(analysis)
