"""A port in plain Python, without numpy and OpenCV, written from ``docs/ports.md`` alone: does the page suffice?

Pictures are ``[y][x][channel]``, heat maps ``[landmark][y][x]``, as in ``docs/ports/vectors.json``.
"""

import math
from collections.abc import Callable

Map = list[list[float]]
Point = list[float]


def upright(stored: list, tag: int) -> list:
    height, width = len(stored), len(stored[0])
    across = tag >= 5
    rows, columns = (width, height) if across else (height, width)
    source = {
        1: lambda x, y: (x, y), 2: lambda x, y: (width - 1 - x, y), 3: lambda x, y: (width - 1 - x, height - 1 - y),
        4: lambda x, y: (x, height - 1 - y), 5: lambda x, y: (y, x), 6: lambda x, y: (y, height - 1 - x),
        7: lambda x, y: (width - 1 - y, height - 1 - x), 8: lambda x, y: (width - 1 - y, x),
    }[tag]  # fmt: skip
    places = [[source(x, y) for x in range(columns)] for y in range(rows)]
    return [[stored[v][u] for u, v in row] for row in places]


def crop_map(box: Point, factor: float, roll: float, size: int) -> list[float]:
    x0, y0, x1, y1 = box
    z = size / (factor * max(x1 - x0, y1 - y0))
    cx, cy, m = (x0 + x1) / 2, (y0 + y1) / 2, (size - 1) / 2
    a, b = z * math.cos(math.radians(roll)), z * math.sin(math.radians(roll))
    return [a, b, m - a * cx - b * cy, -b, a, m + b * cx - a * cy]


def inverse(m: list[float]) -> list[float]:
    a, b, c, d, e, f = m
    by = a * e - b * d
    return [e / by, -b / by, (b * f - c * e) / by, -d / by, a / by, (c * d - a * f) / by]


def apply(m: list[float], point: Point) -> Point:
    x, y = point
    return [m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]]


def reduced(picture: list, f: int) -> list:
    out = []
    for j in range(len(picture) // f):
        row = []
        for i in range(len(picture[0]) // f):
            block = [picture[f * j + v][f * i + u] for v in range(f) for u in range(f)]
            sums = [sum(pixel[c] for pixel in block) for c in range(3)]
            row.append([(s + 2) // 4 if f == 2 else round(s / f**2) for s in sums])
        out.append(row)
    return out


def crop(picture: list, m: list[float], size: int) -> list:
    z = math.hypot(m[0], m[1])
    if z < 0.5:
        f = min(int(1 / z), len(picture), len(picture[0]))
        picture, off = reduced(picture, f), (f - 1) / 2
        m = [f * m[0], f * m[1], apply(m, [off, off])[0], f * m[3], f * m[4], apply(m, [off, off])[1]]
    back, height, width = inverse(m), len(picture), len(picture[0])

    def pixel(x: int, y: int) -> list[int]:
        return picture[y][x] if 0 <= x < width and 0 <= y < height else [0, 0, 0]

    def value(x: int, y: int) -> list[int]:
        sx, sy = apply(back, [x, y])
        i, j = math.floor(sx), math.floor(sy)
        p, q = sx - i, sy - j
        rows = [[a + p * (b - a) for a, b in zip(pixel(i, v), pixel(i + 1, v), strict=True)] for v in (j, j + 1)]
        return [round(upper + q * (lower - upper)) for upper, lower in zip(*rows, strict=True)]

    return [[value(x, y) for x in range(size)] for y in range(size)]


def real(maps: list, scale: float, zero_point: int) -> list[Map]:
    return [[[scale * (q - zero_point) for q in row] for row in one] for one in maps]


def mirror_mean(maps: list[Map], mirrored: list[Map], pairs: list) -> list[Map]:
    partner = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    return [
        [[(p + q) / 2 for p, q in zip(row, other[::-1], strict=True)] for row, other in zip(one, two, strict=True)]
        for one, two in ((one, mirrored[partner.get(c, c)]) for c, one in enumerate(maps))
    ]


def first_largest(values: Map, columns: range, rows: range) -> tuple[int, int]:
    return max(((x, y) for y in rows for x in columns), key=lambda at: values[at[1]][at[0]])  # the first of equal ones


def peak(values: Map) -> tuple[int, int]:
    return first_largest(values, range(len(values[0])), range(len(values)))


def quarter(m: Map) -> Point:
    x, y = peak(m)

    def toward(low: float, high: float) -> float:
        return 0.25 * ((high > low) - (high < low))

    dx = toward(m[y][x - 1], m[y][x + 1]) if 0 < x < len(m[0]) - 1 else 0.0
    dy = toward(m[y - 1][x], m[y + 1][x]) if 0 < y < len(m) - 1 else 0.0
    return [x + dx, y + dy]


def kernel(sigma: float) -> list[float]:
    n = round(8 * sigma + 1) | 1
    weights = [math.exp(-((i - (n - 1) / 2) ** 2) / (2 * sigma**2)) for i in range(n)]
    return [weight / sum(weights) for weight in weights]


def smoothed(m: Map, weights: list[float]) -> Map:
    """Along rows; twice with the map turned is both ways."""
    reach, width = len(weights) // 2, len(m[0])
    return [
        [sum(weights[k - x + reach] * row[k] for k in range(max(0, x - reach), min(width, x + reach + 1)))
         for x in range(width)]
        for row in m
    ]  # fmt: skip


class Border:
    """Of maps of a side."""

    def __init__(self, sigma: float, side: int):
        self.sigma, self.side, self.reach = sigma, side, math.ceil(6 * sigma) + 2
        self.weights = [1 / math.sqrt(self.share(k)) for k in range(-1, side + 1)]
        self.tables: dict[int, list[float]] = {}

    def share(self, a: float) -> float:
        if self.sigma < 0.7:
            return 1.0
        parts = [math.exp(-(((k - a) / self.sigma) ** 2)) for k in range(-self.reach, self.side + self.reach)]
        return sum(parts[self.reach : self.reach + self.side]) / sum(parts)

    def height(self, x: int, c: float) -> float:
        fit = -((x - c) ** 2) / (4 * self.sigma**2)
        return fit + math.log(self.share((x + c) / 2)) - math.log(self.share(x)) / 2

    def table(self, k: int) -> list[float]:
        if k not in self.tables:
            offsets, steps = [i / 32 - 1.25 for i in range(81)], []
            for o in offsets:
                low, middle, high = (self.height(x, k + o) for x in (k - 1, k, k + 1))
                step = ((high - low) / 2) / (2 * middle - low - high)
                steps.append(max([step, *steps[-1:]]))
            self.tables[k] = [interpolated(i / 32 - 1, steps, offsets) for i in range(65)]
        return self.tables[k]

    def corrected(self, k: int, step: float) -> float:
        table, v = self.table(k), 32 * (step + 1)
        i = min(math.floor(v), 63)
        return table[i] + (v - i) * (table[i + 1] - table[i])


def interpolated(at: float, places: list[float], values: list[float]) -> float:
    if at <= places[0]:
        return values[0]
    for i in range(len(places) - 1):
        if places[i] <= at < places[i + 1]:
            return values[i] + (at - places[i]) / (places[i + 1] - places[i]) * (values[i + 1] - values[i])
    return values[-1]


def dark(m: Map, sigma: float, border: Border) -> Point:
    side, weights = len(m), kernel(sigma)
    padded = [[0.0] * (side + 2), *([0.0, *row, 0.0] for row in m), [0.0] * (side + 2)]
    across = smoothed(padded, weights)
    smooth = [
        list(row) for row in zip(*smoothed([list(row) for row in zip(*across, strict=True)], weights), strict=True)
    ]
    x, y = first_largest(smooth, range(1, side + 1), range(1, side + 1))
    fit = [
        [value * border.weights[u] * border.weights[v] for u, value in enumerate(row)] for v, row in enumerate(smooth)
    ]
    about = math.ceil(sigma / 1.5)
    near = [range(max(1, at - about), min(side, at + about) + 1) for at in (x, y)]
    x, y = first_largest(fit, *near)
    p = {(v, u): math.log(max(fit[y + v][x + u], 1e-6)) for v in (-1, 0, 1) for u in (-1, 0, 1)}
    gx, gy = (p[0, 1] - p[0, -1]) / 2, (p[1, 0] - p[-1, 0]) / 2
    gxx, gyy = p[0, 1] - 2 * p[0, 0] + p[0, -1], p[1, 0] - 2 * p[0, 0] + p[-1, 0]
    gxy = (p[1, 1] - p[1, -1] - p[-1, 1] + p[-1, -1]) / 4
    by = gxx * gyy - gxy**2
    x, y = x - 1, y - 1
    if not (by > 1e-9 and gxx < 0):
        return [x, y]
    steps = -(gyy * gx - gxy * gy) / by, -(gxx * gy - gxy * gx) / by
    steps = [max(-1.0, min(1.0, step)) for step in steps]
    found = [k + border.corrected(k, step) for k, step in zip((x, y), steps, strict=True)]
    return [max(-0.5, min(side - 0.5, value)) for value in found]


def points_of(maps: list[Map], decoder: str, sigma: float) -> list[Point]:
    border = Border(sigma, len(maps[0]))
    way = {"argmax": lambda m: list(peak(m)), "quarter": quarter, "dark": lambda m: dark(m, sigma, border)}[decoder]
    return [way(m) for m in maps]


def scores_of(maps: list[Map]) -> list[float]:
    return [max(0.0, min(1.0, max(map(max, m)))) for m in maps]


def to_picture(points: list[Point], m: list[float]) -> list[Point]:
    back = inverse(m)
    return [apply(back, [4 * u + 1.5, 4 * v + 1.5]) for u, v in points]


def box_around(points: list[Point]) -> Point:
    xs, ys = zip(*points, strict=True)
    return [min(xs), min(ys), max(xs), max(ys)]


def longer_side(points: list[Point]) -> float:
    x0, y0, x1, y1 = box_around(points)
    return max(x1 - x0, y1 - y0)


def mean_point(points: list[Point]) -> Point:
    return [sum(values) / len(points) for values in zip(*points, strict=True)]


def align(points: list[Point], mean: list[Point]) -> tuple[list[Point], float, float]:
    px, py = mean_point(points)
    q = [[x - px, y - py] for x, y in points]
    a = sum(x * mx + y * my for (x, y), (mx, my) in zip(q, mean, strict=True))
    b = sum(y * mx - x * my for (x, y), (mx, my) in zip(q, mean, strict=True))
    size = max(math.hypot(a, b), 1e-6)
    aligned = [[(a * x + b * y) / size**2, (a * y - b * x) / size**2] for x, y in q]
    return aligned, size, math.degrees(math.atan2(b, a))


def tenthousandths(values: list) -> list:
    return [tenthousandths(each) if isinstance(each, list) else each / 10_000 for each in values]


def closer(points: list[Point], mean: list | None) -> tuple[Point, float]:
    """The next look's box and roll; ``mean`` as in the description."""
    roll = align(points, tenthousandths(mean))[2] if mean else 0.0
    c, s = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    u0, v0, u1, v1 = box_around([[c * x + s * y, -s * x + c * y] for x, y in points])
    u, v = (u0 + u1) / 2, (v0 + v1) / 2
    x, y = c * u - s * v, s * u + c * v
    return [x - (u1 - u0) / 2, y - (v1 - v0) / 2, x + (u1 - u0) / 2, y + (v1 - v0) / 2], roll


def lower_decile(values: list[float]) -> float:
    v, t = sorted(values), 0.1 * (len(values) - 1)
    i = math.floor(t)
    return v[i] + (t - i) * (v[min(i + 1, len(v) - 1)] - v[i])


def share_near(m: Map, point: Point) -> float:
    positive = [(x, y, max(value, 0.0)) for y, row in enumerate(m) for x, value in enumerate(row)]
    near = sum(value for x, y, value in positive if abs(x - point[0]) <= 2.5 and abs(y - point[1]) <= 2.5)
    return near / max(sum(value for _, _, value in positive), 1e-6)


def features_of(
    known: dict, maps: list[Map], points: list[Point], scores: list[float], before: list | None
) -> list[float]:
    side, shares = len(maps[0]), [share_near(*each) for each in zip(maps, points, strict=True)]
    mean, modes, spread = (tenthousandths(known["shape"][name]) for name in ("mean", "modes", "spread"))
    aligned, size, roll = align(points, mean)
    d = [p - q for one, two in zip(aligned, mean, strict=True) for p, q in zip(one, two, strict=True)]
    w = [sum(m * value for m, value in zip(mode, d, strict=True)) for mode in modes]
    rest = [value - sum(w[k] * mode[i] for k, mode in enumerate(modes)) for i, value in enumerate(d)]
    z = math.log(size / (side * math.sqrt(len(points))))
    found = [
        sum(scores) / len(scores), lower_decile(scores), sum(shares) / len(shares), lower_decile(shares),
        math.log(math.hypot(*rest) + 1e-6),
        math.log(sum((value / s) ** 2 for value, s in zip(w, spread, strict=True)) / len(w) + 1e-6), z, z * z,
        math.dist(mean_point(points), [(side - 1) / 2] * 2) / side, abs(roll) / 90,
    ]  # fmt: skip
    if before:
        apart = sum(map(math.dist, before, points)) / len(points)
        found.append(math.log(apart / max(longer_side(points), 1e-6) + 1e-3))
    return found


def confidence_of(known: dict, features: list[float]) -> float:
    bias, *weights = known["one"] if len(features) == 10 else known["two"]
    t = bias + sum(weight * value for weight, value in zip(weights, features, strict=True))
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, t))))


def averaged(spec: dict, bytes_: list, run: Callable[[list], list[Map]], flip_test: bool) -> list[Map]:
    maps = run(bytes_)
    if flip_test:
        maps = mirror_mean(maps, run([row[::-1] for row in bytes_]), spec["skeleton"]["flip_pairs"])
    return maps


def crops_mean(maps: list[Map], turned: list[Map]) -> list[Map]:
    side = len(maps[0])
    m, c, s = (side - 1) / 2, math.cos(math.radians(8)), math.sin(math.radians(8))
    found = [[row[:] for row in one] for one in maps]
    for y in range(side):
        for x in range(side):
            u, v = c * (x - m) + s * (y - m) + m, -s * (x - m) + c * (y - m) + m
            i, j = math.floor(u), math.floor(v)
            near = [(a, b, (1 - abs(u - a)) * (1 - abs(v - b))) for b in (j, j + 1) for a in (i, i + 1)]
            near = [(a, b, weight) for a, b, weight in near if 0 <= a < side and 0 <= b < side]
            for one, other in zip(found, turned, strict=True):
                one[y][x] = (one[y][x] + sum(weight * other[b][a] for a, b, weight in near)) / (
                    1 + sum(weight for _, _, weight in near)
                )
    return found


def locate(
    spec: dict, picture: list, box: Point | None, run: Callable[[list], list[Map]], flip_test: bool = False,
    crops: int = 1,
) -> dict:  # fmt: skip
    """One object; ``run`` is the network, from a crop's bytes to heat maps."""
    size, known = spec["input_size"], spec.get("confidence")
    place = box or [-0.5, -0.5, len(picture[0]) - 0.5, len(picture) - 0.5]
    look, before = (place, spec["crop_factor"] if box else 1.0, 0.0), None
    for left in range(0 if box else 3, -1, -1):
        m = crop_map(*look, size)
        maps = averaged(spec, crop(picture, m, size), run, flip_test)
        if crops == 2:
            turned = crop(picture, crop_map(*look[:2], look[2] + 8, size), size)
            maps = crops_mean(maps, averaged(spec, turned, run, flip_test))
        inner, scores = points_of(maps, spec["decoder"], spec["sigma"]), scores_of(maps)
        points = to_picture(inner, m)
        if not left or longer_side(points) < 2:
            break
        before = points
        next_box, roll = closer(points, known["shape"]["mean"] if known else None)
        look = next_box, spec["crop_factor"], roll
    seen = before and [[(x - 1.5) / 4, (y - 1.5) / 4] for x, y in (apply(m, point) for point in before)]
    sure = confidence_of(known, features_of(known, maps, inner, scores, seen)) if known else None
    found = sure is None or sure >= known["threshold"]
    visible = [found and (not known or score >= known["visible"]) for score in scores]
    return {"box": place, "landmarks": points, "scores": scores, "confidence": sure, "found": found, "visible": visible}


def from_detector(known: dict, box: Point, roll: float) -> Point:
    x0, y0, x1, y1 = box
    d, (sx, sy) = max(x1 - x0, y1 - y0), known["shift"]
    c, s, half = math.cos(math.radians(roll)), math.sin(math.radians(roll)), known["scale"] * d / 2
    x, y = (x0 + x1) / 2 + d * (c * sx - s * sy), (y0 + y1) / 2 + d * (s * sx + c * sy)
    return [x - half, y - half, x + half, y + half]
