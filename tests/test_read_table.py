"""Files as people have them: what is read of each, against numbers of our own.

Every file of `FILES` is written from a table that is known here. What is read of it is
judged by the share of variance that two directions explain of it, by a singular value
decomposition of the known numbers: a row, a column or a digit too many shows in it.
"""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_ae.datasets import TableEncoder, imputer, read_table
from sklearn_ae.datasets._files import read_file
from sklearn_ae.metrics import neg_reconstruction_mse_scorer, reconstruction_scorer

RNG = np.random.default_rng(0)
N = 40
# Two strong directions in five columns, numbers of two decimals.
X = RNG.normal(size=(N, 2)) @ RNG.normal(size=(2, 5)) * 10 + RNG.normal(size=(N, 5))
X = np.round(X, 2)
NAMES = ["mass", "width", "height", "speed", "heat"]
FRAME = pd.DataFrame(X, columns=NAMES)
KIND = np.array(["perch", "pike", "eel"])[np.arange(N) % 3]


def share(table):
    """The share of variance that two directions explain, from the numbers alone."""
    table = np.asarray(table, dtype=float)
    values = np.linalg.svd(table - table.mean(axis=0), compute_uv=False) ** 2
    return values[:2].sum() / values.sum()


EXPECTED = share(X)


def csv(frame=FRAME, **options):
    return frame.to_csv(**{"index": False} | options)


def lines(table, sep=",", form="{:.2f}", decimal="."):
    rows = [[form.format(x).replace(".", decimal) for x in row] for row in table]
    return "\n".join(sep.join(row) for row in rows) + "\n"


def head(sep=","):
    return sep.join(NAMES) + "\n"


def with_row(text, number, line):
    rows = text.splitlines()
    return "\n".join([*rows[:number], line, *rows[number:]]) + "\n"


def zipped(text, name="x.csv", more=()):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, text)
        for other in more:
            archive.writestr(other, "a,b\n1,2\n")
    return file.getvalue()


def binary(method, frame=FRAME, **options):
    file = io.BytesIO()
    getattr(frame, method)(file, **options)
    return file.getvalue()


def array(*arrays, **named):
    file = io.BytesIO()
    if named or len(arrays) > 1:
        np.savez(file, *arrays, **named)
    else:
        np.save(file, arrays[0])
    return file.getvalue()


def sheet(frame, **options):
    file = io.BytesIO()
    frame.to_excel(file, engine="openpyxl", **options)
    return file.getvalue()


def arff(frame):
    columns = "".join(f"@attribute {name} numeric\n" for name in frame)
    return f"% made\n@relation fish\n{columns}@data\n{lines(frame.to_numpy())}"


WAVES = [400, 402, 404, 406, 408]
FILES = {
    # name of the case: name of the file, content, options
    "plain": ("x.csv", csv(), {}),
    "header 0 1 2": ("x.csv", csv(pd.DataFrame(X)), {}),
    "header 0 1 2 and row labels": ("x.csv", pd.DataFrame(X).to_csv(), {}),
    "header 1 2 3": ("x.csv", "1,2,3,4,5\n" + lines(X), {}),
    "wavelengths": ("x.csv", csv(pd.DataFrame(X, columns=WAVES)), {}),
    "decimal wavelengths": ("x.csv", "1.5,2.25,3.5,4.5,7.5\n" + lines(X), {}),
    "falling wavenumbers": ("x.csv", "900.5,850,700,650,600\n" + lines(X), {}),
    "labelled spectra": (
        *(
            "x.csv",
            FRAME.set_axis(WAVES, axis=1).assign(sample=KIND).to_csv(index=False),
        ),
        {"drop": ["sample"]},
    ),
    "years": ("x.csv", "1990,1995,2000,2005,2010\n" + lines(X), {}),
    "codes as names": ("x.csv", "17,3,90210,4,8\n" + lines(X), {}),
    "no header": ("x.csv", lines(X), {}),
    "no header, semicolons": ("x.csv", lines(X, ";"), {}),
    "no header, text last": (
        *(
            "x.data",
            "".join(f"{x},{k}\n" for x, k in zip(lines(X).split(), KIND, strict=True)),
        ),
        {"drop": ["5"]},
    ),
    "header told": ("x.csv", "5,3,9,4,8\n" + lines(np.round(X)), {"header": True}),
    "no header told": ("x.csv", "0,1,2,3,4\n" + lines(X), {"header": False}),
    "row labels": ("x.csv", FRAME.to_csv(), {}),
    "tabs": ("x.tsv", csv(sep="\t"), {}),
    "tabs in txt": ("x.txt", csv(sep="\t"), {}),
    "pipes": ("x.txt", csv(sep="|"), {}),
    "semicolons": ("x.csv", csv(sep=";"), {}),
    "spaces": ("x.txt", csv(sep=" "), {}),
    "aligned": ("x.dat", FRAME.to_string(index=False), {}),
    "comma and space": ("x.csv", csv().replace(",", ", "), {}),
    "R's write.table": ("x.txt", FRAME.to_csv(sep=" ").lstrip(' "'), {}),
    "separator at the end": ("x.csv", csv().replace("\n", ",\n"), {}),
    "... of the rows": ("x.csv", head() + lines(X).replace("\n", ",\n"), {}),
    "decimal commas": ("x.csv", csv(sep=";", decimal=","), {}),
    "decimal commas, tabs": ("x.tsv", csv(sep="\t", decimal=","), {}),
    "decimal commas, spaces": ("x.txt", csv(sep=" ", decimal=","), {}),
    "decimal commas, quoted": ("x.csv", csv(decimal=",", quoting=1), {}),
    "decimal commas, no header": ("x.csv", lines(X, ";", decimal=","), {}),
    "Excel's sep=;": ("x.csv", "sep=;\n" + csv(sep=";", decimal=","), {}),
    "thousands": ("x.csv", head(";") + lines(X * 1000, ";", "{:,.1f}"), {}),
    "thousands, quoted": ("x.csv", head() + lines(X * 1000, form='"{:,.0f}"'), {}),
    "thousands, German": (
        *("x.csv", head(";")),
        {},
    ),
    "thousands, Swiss": (
        "x.csv",
        head(";") + lines(X * 1e4, ";", "{:,.2f}").replace(",", "'"),
        {},
    ),
    "thousands, thin spaces": (
        *("x.csv", head(";") + lines(X * 1e4, ";", "{:,.2f}").replace(",", "\u202f")),
        {},
    ),
    "currency": ("x.csv", head() + lines(X, form="€{:.2f}"), {}),
    "dollars, minus before": (
        "x.csv",
        head() + lines(X, form="${:.2f}").replace("$-", "-$"),
        {},
    ),
    "per cent": ("x.csv", head() + lines(X, form="{:.2f}%"), {}),
    "units": ("x.csv", head() + lines(X, form="{:.2f} kg"), {}),
    "accountants' minus": (
        *("x.csv", head() + lines(abs(X), form="({:.2f})")),
        {},
    ),
    "true minus": ("x.csv", csv().replace("-", "−"), {}),
    "exponents": ("x.csv", head() + lines(X, form="{:.10e}"), {}),
    "Fortran's exponents": (
        "x.csv",
        head() + lines(X, form="{:.10e}").replace("e", "D"),
        {},
    ),
    "UTF-8 with BOM": ("x.csv", "\ufeff".encode() + csv().encode(), {}),
    "UTF-16": ("x.csv", csv().encode("utf-16"), {}),
    "UTF-16 without BOM": ("x.csv", csv().encode("utf-16-le"), {}),
    "Latin-1": ("x.csv", csv().replace("heat", "chaleur à été").encode("latin-1"), {}),
    "cp1252": ("x.csv", csv().replace("heat", "€ “hot”").encode("cp1252"), {}),
    "Windows' lines": ("x.csv", csv().replace("\n", "\r\n"), {}),
    "old Mac's lines": ("x.csv", csv().replace("\n", "\r"), {}),
    "blank lines": ("x.csv", csv().replace("\n", "\n\n"), {}),
    "comments": ("x.csv", "# made by hand\n# in 2020, by me\n" + csv(), {}),
    "comments within": ("x.csv", with_row(csv(), 9, "# a pause"), {"comment": "#"}),
    "title": ("x.csv", "Fish of the lake\n\n" + csv(), {}),
    "title and date": ("x.txt", "Fish of the lake\nmade: today\n" + csv(sep="\t"), {}),
    "instrument": (
        *("x.txt", "Device\tA1\nOperator\tme\n\n" + csv(sep="\t")),
        {},
    ),
    "numpy's savetxt": ("x.txt", "# " + csv(sep=" "), {}),
    "unit line": ("x.csv", with_row(csv(), 1, "kg,m,m,m/s,K"), {}),
    "footer": ("x.csv", csv() + "Source: the lake\n", {}),
    "constant": ("x.csv", csv(FRAME.assign(one=1)), {}),
    "empty column": ("x.csv", csv(FRAME.assign(none=np.nan)), {}),
    "nearly empty column": (
        *(
            "x.csv",
            csv(
                FRAME.assign(few=np.where(np.arange(N) < 9, 1.5 + np.arange(N), np.nan))
            ),
        ),
        {},
    ),
    "id": ("x.csv", csv(FRAME.assign(fish_id=RNG.permutation(N) + 1000)), {}),
    "id in camel case": ("x.csv", csv(FRAME.assign(fishId=RNG.permutation(N))), {}),
    "row numbers": ("x.csv", csv(FRAME.assign(n=range(7, 7 + N))), {}),
    "names of rows": (
        "x.csv",
        csv(FRAME.assign(who=[f"fish {i}" for i in range(N)])),
        {},
    ),
    "dates": (
        "x.csv",
        csv(FRAME.assign(day=pd.date_range("2020-01-31", periods=N))),
        {},
    ),
    "German dates": (
        *(
            "x.csv",
            csv(
                FRAME.assign(day=[f"{i % 28 + 1}.{i % 12 + 1}.2020" for i in range(N)])
            ),
        ),
        {},
    ),
    "dropped": (
        "x.csv",
        csv(FRAME.assign(a=X[:, 0] ** 2, b=X[:, 1])),
        {"drop": ["a:b"]},
    ),
    "columns": ("x.csv", csv(FRAME.assign(a=X[:, 0] ** 2)), {"columns": ["mass:heat"]}),
    "pattern": (
        *("x.csv", csv(pd.DataFrame(X).add_prefix("px").assign(a=X[:, 0] ** 2))),
        {"columns": ["px*"]},
    ),
    "gzip": ("x.csv.gz", gzip.compress(csv().encode()), {}),
    "bz2": ("x.csv.bz2", bz2.compress(csv().encode()), {}),
    "xz": ("x.csv.xz", lzma.compress(csv().encode()), {}),
    "zip": ("x.zip", zipped(csv(sep=";"), more=["__MACOSX/x.csv"]), {}),
    "zip of two": ("x.zip", zipped(csv(), more=["b.csv"]), {"sheet": "x.csv"}),
    "parquet": ("x.parquet", binary("to_parquet"), {}),
    "feather": ("x.feather", binary("to_feather"), {}),
    "stata": ("x.dta", binary("to_stata", write_index=False), {}),
    "json records": ("x.json", FRAME.to_json(orient="records"), {}),
    "json lines": ("x.jsonl", FRAME.to_json(orient="records", lines=True), {}),
    "names longer than what is looked at": (
        "x.csv",
        csv(FRAME.rename(columns={"mass": "mass" + "s" * 110_000})),
        {},
    ),
    "three decimals, commas, tabs": (
        "x.tsv",
        csv(FRAME / 1000, sep="\t", decimal=",", float_format="%.3f"),
        {},
    ),
    "json, split": ("x.json", FRAME.to_json(orient="split"), {}),
    "json with lists": (
        "x.json",
        FRAME.assign(tags=[[1], [2]] * (N // 2), of=[{"a": 1}] * N).to_json(
            orient="records"
        ),
        {},
    ),
    "json columns": (
        "x.json",
        json.dumps({name: [*FRAME[name]] for name in FRAME}),
        {},
    ),
    "npy": ("x.npy", array(X), {}),
    "npy with numbered rows": ("x.npy", array(X[:, ::-1]), {}),
    "npz": ("x.npz", array(X=X, y=KIND), {}),
    "npz of two": ("x.npz", array(train=X, test=X[:5]), {"sheet": "train"}),
    "names of two lines": ("x.csv", '"mass\n(kg)",' + csv().partition(",")[2], {}),
    "names of two lines, a title": (
        *("x.csv", 'Fish\n\n"mass\n(kg)",' + csv().partition(",")[2]),
        {},
    ),
    "vertical tabs": ("x.csv", csv().replace("mass", "mass\x0b(kg)"), {}),
    "Excel's apostrophes": ("x.csv", head() + lines(X, form="'{:.2f}"), {}),
    "square units": ("x.csv", head() + lines(X, form="{:.2f} m2"), {}),
    "DOS's end of file": ("x.csv", csv().rstrip() + "\x1a\n", {}),
    "stars": ("x.csv", head() + lines(X, form="{:.2f}*"), {}),
    "a gzip by its content": ("x.csv", gzip.compress(csv().encode()), {}),
    "a zip by its content": ("x.csv", zipped(csv()), {}),
    "parquet by its content": ("x", binary("to_parquet"), {}),
    "npy by its content": ("x.dat", array(X), {}),
    "json with more around": (
        *("x.json", json.dumps({"made": "2020", "rows": FRAME.to_dict("records")})),
        {},
    ),
    "rows of separators": ("x.csv", ",,,,\n,,,,\n" + csv() + ",,,,\n", {}),
    "markdown": (
        "x.md",
        "".join(f"| {line.replace(',', ' | ')} |\n" for line in csv().split()),
        {},
    ),
    "arff": ("x.arff", arff(FRAME), {}),
    "no suffix": ("table", csv(sep=";"), {}),
}
german = lines(X * 1e4, ";", "{:,.2f}").translate(str.maketrans(",.", ".,"))
FILES["thousands, German"] = ("x.csv", head(";") + german, {})
CHANGED = {  # where the numbers written are others than X
    "header told": np.round(X),
    "no header told": np.vstack([range(5), X]),
    "accountants' minus": -abs(X),
    "thousands": np.round(X * 1000, 1),
    "thousands, quoted": np.round(X * 1000),
    "three decimals, commas, tabs": np.round(X / 1000, 3),
}


def test_there_are_enough_files():
    assert len(FILES) >= 60


@pytest.mark.parametrize("case", FILES)
def test_the_share_of_variance_is_right(case, tmp_path):
    name, content, options = FILES[case]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_table(path, **options)
    expected = CHANGED.get(case, X)
    assert table.data.shape == expected.shape
    np.testing.assert_allclose(share(table.data), share(expected), rtol=1e-6)
    if "told" not in case and case != "id":
        np.testing.assert_allclose(share(table.data), share(expected), rtol=1e-6)


@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
def test_sheets(suffix, tmp_path):
    pytest.importorskip("openpyxl" if suffix == "xlsx" else "odf")
    path = tmp_path / f"x.{suffix}"
    with pd.ExcelWriter(path) as book:
        FRAME.to_excel(book, sheet_name="fish", index=False, startrow=3, startcol=1)
        book.sheets["fish"] if suffix == "ods" else book.sheets["fish"].cell(
            1, 2, "Fish of the lake"
        )
        pd.DataFrame().to_excel(book, sheet_name="empty")
    table = read_table(path)
    assert list(table.data) == NAMES
    np.testing.assert_allclose(table.data, X)
    with pd.ExcelWriter(path) as book:
        FRAME.to_excel(book, sheet_name="fish", index=False)
        FRAME.head(3).to_excel(book, sheet_name="more", index=False)
    with pytest.raises(ValueError, match=r"2 sheets \(fish, more\): name one with --s"):
        read_table(path)
    assert share(read_table(path, sheet="fish").data) == pytest.approx(EXPECTED)
    (tmp_path / "x.csv").write_bytes(path.read_bytes())  # by its content
    assert share(read_table(tmp_path / "x.csv", sheet="fish").data) == pytest.approx(
        EXPECTED
    )


def test_spss(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    pyreadstat.write_sav(FRAME, tmp_path / "x.sav")
    assert share(read_table(tmp_path / "x.sav").data) == pytest.approx(EXPECTED)


WORDS = ["?", "NA", "N/A", "-", "", "null", "n.a.", "#DIV/0!", "<0.05", "missing"]


@pytest.mark.parametrize("word", WORDS)
def test_words_for_missing(word, tmp_path):
    text = FRAME.map("{:.2f}".format)
    text.loc[[3, 17], "width"] = word
    text.loc[5, "heat"] = word
    text.to_csv(tmp_path / "x.csv", index=False, sep=";")
    table = read_table(tmp_path / "x.csv")
    known = FRAME.copy()
    known.loc[[3, 17], "width"] = known.loc[5, "heat"] = np.nan
    pd.testing.assert_frame_equal(table.data, known)
    assert table.missing == 3 / known.size
    assert table.notes[-1] == "3 of 200 cells (1.5%) in width, heat are missing."
    filled = table.preprocessing.fit_transform(table.data)
    assert share(filled) == pytest.approx(share(known.fillna(known.mean())))


def test_words_for_missing_on_request(tmp_path):
    known = FRAME.copy()
    known.loc[[3, 17], "width"] = -999
    known.to_csv(tmp_path / "x.csv", index=False)
    known.to_parquet(tmp_path / "x.parquet")
    assert read_table(tmp_path / "x.csv").data["width"].min() == -999
    for name in ("x.csv", "x.parquet"):
        table = read_table(tmp_path / name, na=["-999"])
        assert table.data["width"].isna().sum() == 2
        np.testing.assert_allclose(
            table.data["width"].min(), X[:, 1][known["width"] > -999].min()
        )


def test_infinite_cells(tmp_path):
    known = FRAME.copy()
    known.loc[3, "heat"] = np.inf
    known.to_csv(tmp_path / "x.csv", index=False)
    known.to_parquet(tmp_path / "x.parquet")
    for name in ("x.csv", "x.parquet"):
        with pytest.raises(
            ValueError, match=r"infinite values in heat; .* \(--na inf\)"
        ):
            read_table(tmp_path / name)
        assert read_table(tmp_path / name, na=["inf"]).missing == 1 / X.size


@pytest.mark.parametrize(
    ("text", "names"),
    [
        # Rows of data that happen to fall, or names that are also values below.
        ("5.1,3.5,1.4,0.2,0\n4.9,3.1,1.5,0.1,0\n6.3,3.3,6.0,2.5,2\n" * 2, None),
        ("no,metal\n1,metal\n2,nonmetal\n3,metal\n4,gas\n", ["no", "metal"]),
        ("x,ID\na,ID\nb,ET\nc,CA\n", ["x", "ID"]),
        ("'a','b'\n1,2\n3,5\n", ["a", "b"]),
        ("a,b,\n1,2\n3,5\n4,4\n", ["a", "b"]),
        ("1,234;5\n2,345;6\n1,111;9\n", None),
        ("1st,2nd,3rd\n1.5,2.5,3.5\n1,2,2\n", ["1st", "2nd", "3rd"]),
        ("1990,1995,2005\n" + "3,4,9\n5,1,0\n" * 5, ["1990", "1995", "2005"]),
        ("9,5,15\n" + "3,4,9\n5,1,0\n" * 5, None),
        (
            ",142.2,144.7,147.2,149.7,152.2\n" + "a,0,0,0,0,1\nb,0,0,0,0,0\n" * 5,
            ["Unnamed: 0", "142.2", "144.7", "147.2", "149.7", "152.2"],
        ),
        ("a,a,a.1\n1,2,7\n3,5,4\n", ["a", "a.1", "a.1.1"]),
        ("x\n1,5\n-2,25\n3,125\n", ["x"]),
        ("5\n6\n7.5\n", None),
        ("0\n6.25\n7.5\n", ["0"]),
    ],
)
def test_names(text, names, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    file = read_file(tmp_path / "x.csv")
    assert file.named == (names is not None)
    assert names is None or list(file.frame) == names


def test_numbers_that_stand_for_missing_are_suspected(tmp_path):
    known = abs(FRAME)
    known.loc[[3, 17], "width"] = -999
    known.loc[3, "heat"] = -999
    known.to_csv(tmp_path / "x.csv", index=False)
    notes = read_table(tmp_path / "x.csv", scale=False).notes
    assert notes == [
        "Column width has 2 cells of -999 and none else below 0: --na -999 if they are "
        "missing ones."
    ]


def test_an_encoding_that_shows_late(tmp_path):
    n = 20_000
    frame = pd.DataFrame({"a": np.arange(n) % 97 / 2, "b": np.arange(n) % 89, "c": "x"})
    frame.loc[n - 5, "c"] = "é"
    frame.to_csv(tmp_path / "x.csv", index=False, encoding="latin-1")
    table = read_table(tmp_path / "x.csv", categorical="none")
    assert table.data.shape == (n, 2)
    assert table.notes[0] == "Reading x.csv with latin-1."
    assert share(table.data) == 1
    with pytest.raises(ValueError, match=r"x.csv cannot be read: 'utf-8' codec"):
        read_table(tmp_path / "x.csv", encoding="utf-8")


def test_missing_rows_and_errors(tmp_path):
    known = FRAME.copy()
    known.loc[3] = np.nan
    known.loc[[5, 6], "heat"] = np.nan
    known.to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv", missing="rows")
    assert share(table.data) == pytest.approx(share(known.dropna()))
    assert "Leaving out 1 of 40 rows: without any value." in table.notes
    assert "Leaving out 2 of 40 rows: with a missing value." in table.notes
    with pytest.raises(ValueError, match="has missing cells, in mass, width"):
        read_table(tmp_path / "x.csv", missing="error")


def test_mostly_missing_columns_do_not_cost_rows(tmp_path):
    known = FRAME.assign(few=np.nan)
    known.loc[:3, "few"] = [1, 2, 4, 8]
    known.to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv", missing="rows")
    assert len(table.data) == N
    assert "Leaving out 1 column: few (90% missing)." in table.notes


def test_notes_say_what_was_assumed(tmp_path):
    (tmp_path / "x.txt").write_bytes(
        ("Fish\n\n" + csv(sep=";", decimal=",").replace("heat", "été")).encode("cp1252")
    )
    assert read_table(tmp_path / "x.txt").notes == [
        "Reading x.txt with cells between semicolons, decimal commas, cp1252, 2 lines "
        "before the table."
    ]
    (tmp_path / "x.csv").write_text(csv(pd.DataFrame(X)))
    assert read_table(tmp_path / "x.csv").notes == [
        "Reading x.csv with the first line as names (whole numbers over others)."
    ]
    (tmp_path / "x.csv").write_text(lines(X))
    assert read_table(tmp_path / "x.csv").notes == [
        "Reading x.csv with no line of names."
    ]
    (tmp_path / "x.csv").write_text(csv())
    assert read_table(tmp_path / "x.csv").notes == []


def test_categories(tmp_path):
    FRAME.assign(kind=KIND, big=X[:, 0] > 0, sure="yes").to_csv(
        tmp_path / "x.csv", index=False
    )
    table = read_table(tmp_path / "x.csv")
    assert table.scaled
    assert "As categories, with so many values: kind (3)." in table.notes
    assert "Leaving out 1 column: sure (constant)." in table.notes
    Z = table.preprocessing.fit_transform(table.data)
    names = ["kind=eel", "kind=perch", "kind=pike"]
    assert list(table.preprocessing[0].get_feature_names_out()) == [
        *NAMES,
        *names,
        "big",
    ]
    numbers = np.c_[X, X[:, 0] > 0]
    one_hot = (KIND[:, None] == ["eel", "perch", "pike"]).astype(float)
    one_hot = (one_hot - one_hot.mean(axis=0)) / np.sqrt(one_hot.var(axis=0).sum())
    numbers = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    known = np.c_[numbers[:, :5], one_hot, numbers[:, 5]]
    np.testing.assert_allclose(Z, known, atol=1e-12)
    # A category varies as much as one column of numbers.
    np.testing.assert_allclose(Z.var(axis=0)[5:8].sum(), 1)
    back = table.preprocessing.inverse_transform(Z)
    pd.testing.assert_frame_equal(back, table.data, check_dtype=False)
    plain = read_table(tmp_path / "x.csv", categorical="none")
    assert list(plain.data) == [*NAMES, "big"]
    assert not plain.scaled
    assert share(plain.preprocessing.fit_transform(plain.data)) == pytest.approx(
        share(np.c_[X, X[:, 0] > 0])
    )


def test_numbers_as_categories(tmp_path):
    FRAME.assign(site=np.arange(N) % 4 + 1).to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv", categorical=["site"])
    table.preprocessing.fit(table.data)
    names = table.preprocessing[0].get_feature_names_out()
    assert [*names[5:]] == ["site=1", "site=2", "site=3", "site=4"]


def test_dates_as_numbers(tmp_path):
    days = pd.date_range("2020-01-31", periods=N)
    FRAME.assign(day=days).to_csv(tmp_path / "x.csv", index=False)
    FRAME.assign(day=days).to_parquet(tmp_path / "x.parquet")
    for name in ("x.csv", "x.parquet"):
        table = read_table(tmp_path / name, dates=True)
        since = (days - pd.Timestamp(0)).days  # since 1970
        np.testing.assert_allclose(table.data["day"], since)
        assert share(table.data) == pytest.approx(share(np.c_[X, since]))


def test_ids_that_are_named_are_kept(tmp_path):
    FRAME.assign(fish_id=np.arange(N) + 5).to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv", columns=["*", "fish_id"])
    assert share(table.data) == pytest.approx(share(np.c_[X, np.arange(N)]))
    assert "fish_id (rises from row to row)" in read_table(tmp_path / "x.csv").notes[0]


def test_ids_that_come_again_are_said(tmp_path):
    frame = FRAME.assign(fish_id=np.arange(N) // 2)
    frame["lakeId"] = [f"lake {i // 2}" for i in range(N)]
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert read_table(tmp_path / "x.csv").notes == [
        "Leaving out 2 columns: fish_id, lakeId (an id that comes again: --group keeps "
        "its rows together)."
    ]


@pytest.mark.parametrize("name", ["paid", "humid", "price_index", "grid", "obs"])
def test_names_that_are_no_ids(name, tmp_path):
    values = RNG.integers(0, 99, N)
    FRAME.assign(**{name: values}).to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv")
    assert share(table.data) == pytest.approx(share(np.c_[X, values]))


def test_target_and_groups(tmp_path):
    frame = FRAME.assign(kind=KIND, lake=np.arange(N) // 10)
    frame.loc[7, "kind"] = None
    frame.loc[9, "lake"] = np.nan
    frame.to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv", target="kind", groups="lake")
    keep = np.arange(N) != 7
    np.testing.assert_array_equal(table.target, KIND[keep])
    assert table.groups[8] not in np.delete(table.groups, 8)  # a group of its own
    assert len(np.unique(table.groups)) == 5
    assert share(table.data) == pytest.approx(share(X[keep]))
    with pytest.raises(ValueError, match="no column 'x' to be the groups; it has mass"):
        read_table(tmp_path / "x.csv", groups="x")


def test_units_too_different_are_scaled(tmp_path):
    wide = FRAME.assign(heat=FRAME["heat"] * 1000)
    wide.to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv")
    assert table.scaled
    assert "Column heat varies" in table.notes[-1]
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    assert share(table.preprocessing.fit_transform(table.data)) == pytest.approx(
        share(Z)
    )
    raw = read_table(tmp_path / "x.csv", scale=False)
    np.testing.assert_allclose(raw.preprocessing.fit_transform(raw.data), wide)
    FRAME.assign(heat=FRAME["heat"] * 20).to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv")
    assert not table.scaled
    assert "Column heat holds 99" in table.notes[-1]


def test_a_second_file_is_read_as_the_first(tmp_path):
    frame = FRAME.assign(kind=KIND, fish_id=np.arange(N))
    frame.to_csv(tmp_path / "a.csv", index=False, sep=";", decimal=",")
    first = read_table(tmp_path / "a.csv")
    # Other columns, another order, a missing value, an id that is none there.
    other = frame.iloc[:3][["kind", *NAMES[::-1]]].assign(new=1)
    other.to_csv(tmp_path / "b.csv", index=False, sep=";", decimal=",")
    again = read_table(tmp_path / "b.csv", reading=first.reading)
    pd.testing.assert_frame_equal(again.data, first.data.iloc[:3])
    other.rename(columns={"mass": "weight"}).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(
        ValueError, match=r"lacks 1 of .*: mass. It has .*: weight, new"
    ):
        read_table(tmp_path / "b.csv", reading=first.reading)
    other.assign(mass="heavy").to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(ValueError, match=r"Column mass of .* was a number .* 'heavy'"):
        read_table(tmp_path / "b.csv", reading=first.reading)


def test_a_second_file_may_be_a_sheet_and_say_yes_only(tmp_path):
    frame = (
        (FRAME / 1000).round(3).assign(wild=np.where(X[:, 0] > X[0, 0], "yes", "no"))
    )
    frame.to_csv(tmp_path / "a.csv", index=False, sep=";", decimal=",")
    first = read_table(tmp_path / "a.csv")
    some = frame[frame["wild"] == "yes"]
    some.to_excel(tmp_path / "b.xlsx", index=False)
    told = first.reading.told
    again = read_table(tmp_path / "b.xlsx", reading=first.reading, **told)
    expected = some.assign(wild=1.0).reset_index(drop=True)
    pd.testing.assert_frame_equal(again.data, expected)


def test_thousands_with_points_beside_decimal_commas(tmp_path):
    mass = np.arange(1234, 1234 + 7 * N, 7)
    lines = [
        f"{m:_};{x:.2f}".replace(".", ",").replace("_", ".")
        for m, x in zip(mass, X[:, 0], strict=True)
    ]
    (tmp_path / "x.csv").write_text("\n".join(["mass;age", *lines]))
    table = read_table(tmp_path / "x.csv", columns=["mass", "age"])
    assert table.data["mass"].tolist() == mass.tolist()
    assert read_table(tmp_path / "x.csv", target="mass").target.tolist() == [*mass]


def test_thousands_in_letters_are_not_mixed_with_others(tmp_path):
    rows = [f"{m},{i % 7}" for i, m in enumerate(["950", "1.2k", "875", "3.4k"] * 5)]
    (tmp_path / "x.csv").write_text("\n".join(["views,age", *rows]))
    table = read_table(tmp_path / "x.csv", categorical="none")
    assert list(table.data) == ["age"]
    (tmp_path / "x.csv").write_text("views\n1.2k\n0\n3.4k\n2k\n")
    assert read_table(tmp_path / "x.csv").data["views"].tolist() == [1.2, 0, 3.4, 2]


def test_a_data_frame_with_a_name_twice():
    with pytest.raises(ValueError, match="several columns 'a'"):
        read_table(pd.DataFrame([[1, 2], [3, 5]], columns=["a", "a"]))


def test_a_data_frame_is_read_likewise():
    table = read_table(FRAME.assign(id=range(N), kind=KIND), target="kind")
    assert share(table.data) == pytest.approx(EXPECTED)
    assert table.notes == ["Leaving out 1 column: id (rises from row to row)."]


def test_standard_input():
    table = read_table(io.BytesIO(csv(sep=";", decimal=",").encode()))
    assert share(table.data) == pytest.approx(EXPECTED)
    assert table.notes[0].startswith("Reading standard input with cells between semi")


def test_a_mixed_table_is_scored_behind_its_encoder(tmp_path):
    FRAME.assign(kind=KIND).to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv")
    pipeline = make_pipeline(table.preprocessing, PCA(2)).fit(table.data)
    Z = TableEncoder().fit_transform(table.data)
    assert reconstruction_scorer(pipeline, table.data) == pytest.approx(share(Z))
    error = -neg_reconstruction_mse_scorer(pipeline, table.data)
    assert error == pytest.approx((1 - share(Z)) * Z.var(axis=0).mean())
    # And a search over such pipelines.
    grid = {"pca__n_components": [1, 2, 3]}
    search = GridSearchCV(pipeline, grid, scoring=reconstruction_scorer, cv=3)
    assert search.fit(table.data).best_params_ == {"pca__n_components": 3}


def test_missing_cells_are_not_scored(tmp_path):
    known = FRAME.mask(RNG.random(FRAME.shape) < 0.1)
    known.to_csv(tmp_path / "x.csv", index=False)
    filled = known.fillna(known.mean()).to_numpy()
    pca = PCA(2).fit(filled)
    errors = (known - pca.inverse_transform(pca.transform(filled))) ** 2
    total = (known - known.mean()) ** 2
    expected = 1 - errors.sum().sum() / total.sum().sum()
    pipeline = make_pipeline(imputer(), PCA(2)).fit(known)
    assert reconstruction_scorer(pipeline, known) == pytest.approx(expected)
    error = -neg_reconstruction_mse_scorer(pipeline, known)
    assert error == pytest.approx(errors.sum().sum() / known.notna().sum().sum())


def test_the_encoder_is_a_transformer():
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0], "k": ["x", "y", None, "x"]})
    encoder = clone(TableEncoder(scale=False)).fit(frame)
    one_hot = np.array([[1, 0], [0, 1], [np.nan, np.nan], [1, 0]])
    # A category varies as the numbers do on average.
    one_hot *= np.sqrt(np.nanvar(frame["a"]) / np.nanvar(one_hot, axis=0).sum())
    np.testing.assert_allclose(
        encoder.transform(frame), np.c_[frame["a"], one_hot], atol=1e-12
    )
    with pytest.raises(ValueError, match="X lacks the columns k"):
        encoder.transform(frame[["a"]])
    with pytest.warns(UserWarning, match=r"k has values that fit did not see \(z\)"):
        Z = encoder.transform(pd.DataFrame({"k": ["z"], "a": [1.0]}))
    np.testing.assert_array_equal(Z, [[1.0, np.nan, np.nan]])
    encoder.set_output(transform="pandas")
    assert list(encoder.transform(frame)) == ["a", "k=x", "k=y"]
