"""Where measurements and images come from: found by name, checked, and on record.

A data set is looked for in ``$SWTA_DATA``, then in the user's cache, then downloaded (unless
``SWTA_OFFLINE=1``), and last among what the package bundles. `load_digits` and the other loaders
do this by themselves; `used` tells afterwards which files they read.
"""

from swta.data.choice import (
    DigitSources,
    SceneTask,
    choose_digit_sources,
    choose_scene_task,
)
from swta.data.corruptions import (
    CORRUPTIONS,
    PUBLISHED_SEVERITY,
    corrupt,
    corrupt_digits,
    corrupt_each,
    join_digits,
)
from swta.data.digits import DigitSet, load_digits, load_usps, select_digits
from swta.data.errors import DataCorrupt, DataUnavailable, DownloadError
from swta.data.fetch import fetch
from swta.data.frames import SceneSet, load_scenes
from swta.data.inventory import list_data, verify, where
from swta.data.locate import Location, Use, find, fingerprint, locate, use, used
from swta.data.night import LEVELS, SEVERITIES, NightLevel, form_night
from swta.data.pairs import lay_on_ground, load_pairs
from swta.data.procedural_streets import draw_street
from swta.data.registry import DataSet, RemoteFile
from swta.data.rendered import draw_background, render_digits
from swta.data.scenes import (
    Scene,
    SceneClass,
    SceneFrame,
    SceneIndex,
    check_scenes,
    load_scene,
    load_scene_index,
)
from swta.data.unpack import place

__all__ = [
    "CORRUPTIONS",
    "LEVELS",
    "PUBLISHED_SEVERITY",
    "SEVERITIES",
    "DataCorrupt",
    "DataSet",
    "DataUnavailable",
    "DigitSet",
    "DigitSources",
    "DownloadError",
    "Location",
    "NightLevel",
    "RemoteFile",
    "Scene",
    "SceneClass",
    "SceneFrame",
    "SceneIndex",
    "SceneSet",
    "SceneTask",
    "Use",
    "check_scenes",
    "choose_digit_sources",
    "choose_scene_task",
    "corrupt",
    "corrupt_digits",
    "corrupt_each",
    "draw_background",
    "draw_street",
    "fetch",
    "find",
    "fingerprint",
    "form_night",
    "join_digits",
    "lay_on_ground",
    "list_data",
    "load_digits",
    "load_pairs",
    "load_scene",
    "load_scene_index",
    "load_scenes",
    "load_usps",
    "locate",
    "place",
    "render_digits",
    "select_digits",
    "use",
    "used",
    "verify",
    "where",
]
