"""All formats under attack, by name."""

from tests.fuzz import csv_file, cunet, json_file, mat_file, picture_file, pts_file, video_file, yolo_file
from tests.fuzz.target import Target

MODULES = (cunet, mat_file, json_file, csv_file, pts_file, yolo_file, picture_file, video_file)
TARGETS: dict[str, Target] = {module.TARGET.name: module.TARGET for module in MODULES}
