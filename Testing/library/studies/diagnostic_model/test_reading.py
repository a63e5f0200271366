"""Tables and labels read: what is joined, what is refused, and by which file, line and difference."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.studies.diagnostic_model import read_inputs
from tables_of_lesions import COLUMNS, RECIPES, make_rows, write_folder


def labels(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_folders_of_patients_are_joined_whatever_the_order_of_their_columns(tmp_path):
    rows = make_rows(8)
    names = list(COLUMNS)
    random.Random(1).shuffle(names)
    mixed = [{**{k: row[k] for k in row if k not in COLUMNS}, **{k: row[k] for k in names}} for row in rows[4:]]
    write_folder(tmp_path / "in" / "a", rows[:4])
    write_folder(tmp_path / "in" / "b", mixed)
    for given in (tmp_path / "in", [tmp_path / "in" / "a", tmp_path / "in" / "b"]):
        found = read_inputs(given)
        assert found.columns == COLUMNS
        assert np.array_equal(found.values, [[row[name] for name in COLUMNS] for row in rows])
        assert [(x.patient, x.id, x.label) for x in found.lesions] == [
            (row["patient_id"], row["lesion_id"], row["label"]) for row in rows
        ]
        assert found.recipes == RECIPES and found.warnings == ()


def test_a_folder_measured_otherwise_is_named_with_the_difference(tmp_path):
    other = copy.deepcopy(RECIPES)
    other["SPECT"]["mazda"]["normalisation"] = "sigma"
    write_folder(tmp_path / "a", make_rows(4))
    write_folder(tmp_path / "b", make_rows(8)[4:], recipes=other)
    with pytest.raises(InputError, match=r"b: .*SPECT.mazda.normalisation is 'sigma', in a 'none'"):
        read_inputs([tmp_path / "a", tmp_path / "b"])
    write_folder(tmp_path / "c", make_rows(8)[4:], recipes={"CT": RECIPES["CT"]})
    with pytest.raises(InputError, match=r"c has features of CT; .*a of CT, SPECT"):
        read_inputs([tmp_path / "a", tmp_path / "c"])
    short = [{name: value for name, value in row.items() if name != "CT:GrMean"} for row in make_rows(8)[4:]]
    write_folder(tmp_path / "d", short)
    with pytest.raises(InputError, match=r"d has no column CT:GrMean"):
        read_inputs([tmp_path / "a", tmp_path / "d"])


def test_a_recipe_or_table_that_was_changed_is_refused(tmp_path):
    folder = write_folder(tmp_path / "a", make_rows(4))
    recipe = json.loads((folder / "features.json").read_text())
    recipe["recipes"]["CT"]["plane"] = "coronal"
    (folder / "features.json").write_text(json.dumps(recipe))
    with pytest.raises(InputError, match=r"features.json was changed"):
        read_inputs(folder)
    folder = write_folder(tmp_path / "b", make_rows(4))
    text = (folder / "lesions.csv").read_text().splitlines()
    wanted = json.loads((folder / "features.json").read_text())["settings_hash"]
    text[2] = text[2].replace(wanted, "0" * 64)
    (folder / "lesions.csv").write_text("\n".join(text))
    with pytest.raises(InputError, match=r"lesions.csv, line 3: .*other settings than those of features.json"):
        read_inputs(folder)
    (folder / "features.json").unlink()
    with pytest.raises(InputError, match=r"no lesions.csv with its features.json"):
        read_inputs(folder)
    with pytest.raises(InputError, match=r"line 3: .*other settings than those of line 2"):
        read_inputs(folder / "lesions.csv")


def test_labels_stand_beside_the_lesions_they_name(tmp_path):
    rows = [row | {"label": "", "level": ""} for row in make_rows(4)]
    folder = write_folder(tmp_path / "a", rows)
    table = labels(
        tmp_path / "labels.csv",
        "lesion_id;patient_id;label;centre;reader_A;sex;age",
        "P002-2;P002;benign;Bern;2;male;",
        "P001-1;P001;metastasis;Basel;5;female;71",
        "P001-2;P001;metastasis;Basel;NE;female;71",
        "P002-1;P002;benign;Bern;1;male;NA",
        "P009-1;P009;benign;Bern;1;male;40",
    )
    found = read_inputs(folder, table)
    assert [lesion.label for lesion in found.lesions] == ["metastasis", "metastasis", "benign", "benign"]
    assert [lesion.centre for lesion in found.lesions] == ["Basel", "Basel", "Bern", "Bern"]
    assert [dict(lesion.readers) for lesion in found.lesions] == [
        {"reader A": "5"}, {}, {"reader A": "1"}, {"reader A": "2"},
    ]  # fmt: skip
    assert dict(found.lesions[0].facts) == {"sex": "female", "age": "71"}
    assert dict(found.lesions[2].facts) == {"sex": "male"}
    assert found.readers == ("reader A",) and set(found.facts) == {"sex", "age"}
    assert any("1 label(s) have no lesion" in text and "line 6" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("lesion_id,label", "P001-1,metastasis"), "line 3: no label for this lesion, nor for 2 others"),
        (("lesion_id,label", "X,benign"), "labels no lesion"),
        (("lesion_id,label", "P001-1,benign"), "label of lesion P001-1 is 'metastasis'; the labels say 'benign'"),
        (("lesion_id,label", "P001-1,metastasis", "P001-1,metastasis"), "line 3: the lesion P001-1 is there twice"),
        (("id,label", "P001-1,benign"), "no column lesion_id"),
        (("lesion_id,label,label", "P001-1,benign,benign"), "the column 'label' twice"),
        (("lesion_id,label", "P001-1,metastasis,7"), "line 2: 3 cells, 2 columns"),
        (("lesion_id,label",), "lists no lesion"),
        (("lesion_id,label,centre", "P001-1,metastasis,Bern"), "line 3"),
    ],
)
def test_labels_that_do_not_fit(tmp_path, lines, says):
    rows = make_rows(4)
    if "nor for" in says:
        rows = [row | {"label": ""} for row in rows]
    folder = write_folder(tmp_path / "a", rows)
    with pytest.raises(InputError) as error:
        read_inputs(folder, labels(tmp_path / "labels.csv", *lines))
    assert says in str(error.value)


def test_a_lesion_twice_and_patients_without_a_name(tmp_path):
    rows = make_rows(4)
    write_folder(tmp_path / "a", rows)
    write_folder(tmp_path / "b", rows[:2])
    with pytest.raises(InputError, match=r"b/lesions.csv, line 2: the lesion P001-1 of patient P001 is there twice"):
        read_inputs([tmp_path / "a", tmp_path / "b"])
    nameless = [row | {"patient_id": "unnamed", "lesion_id": "label_1"} for row in (rows[0], rows[2])]
    write_folder(tmp_path / "c", nameless[:1])
    write_folder(tmp_path / "d", nameless[1:])
    with pytest.raises(InputError, match=r"without the name of a patient .*--patient"):
        read_inputs([tmp_path / "c", tmp_path / "d"])
    own = [row | {"patient_id": "unnamed"} for row in rows]
    write_folder(tmp_path / "e", own)
    table = labels(tmp_path / "l.csv", "lesion_id,patient_id", *(f"{r['lesion_id']},{r['patient_id']}" for r in rows))
    assert [x.patient for x in read_inputs(tmp_path / "e", table).lesions] == ["P001", "P001", "P002", "P002"]


def test_a_plain_table_needs_no_colons_and_no_recipe(tmp_path):
    table = labels(
        tmp_path / "plain.csv", "lesion_id,label,Mean,Teta1", "a,benign,1.5,", "'=b,metastasis,-2e3,nan", "c,x,inf,0"
    )
    found = read_inputs(table)
    assert found.columns == ("Mean", "Teta1")
    assert np.array_equal(found.values, [[1.5, np.nan], [-2000.0, np.nan], [np.nan, 0.0]], equal_nan=True)
    assert found.lesions[1].id == "=b"  # the apostrophe only keeps a spreadsheet from running it
    assert any("cannot refuse" in text for text in found.warnings)
    bad = labels(tmp_path / "bad.csv", "lesion_id,label,Mean,sex", "a,benign,1.5,male")
    with pytest.raises(InputError, match=r"line 2: sex is 'male', not a number"):
        read_inputs(bad)


def test_labels_without_the_column_name_the_columns_they_have(tmp_path):
    folder = write_folder(tmp_path / "a", [row | {"label": ""} for row in make_rows(2)])
    first = make_rows(2)[0]["lesion_id"]
    table = labels(tmp_path / "labels.csv", "lesion_id,diagnosis", f"{first},benign")
    with pytest.raises(InputError, match=r"labels.csv has no column label; its columns are: lesion_id, diagnosis\."):
        read_inputs(folder, labels=table)
