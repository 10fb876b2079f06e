#!/usr/bin/env python3
"""AUC on December of scikit-learn's logistic regression, on the columns that prepare.py wrote.

Categorical columns, crosses included, become one-hot; numeric ones come scaled. The strength of the penalty is
tuned on November after training on January to October; then the whole of January to November is fitted.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

STRENGTHS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]


def features(table: pd.DataFrame, schema: dict) -> sparse.csr_matrix:
    """One column a category, then the numeric columns."""
    blocks = []
    for column in schema["columns"]:
        values = table[column["name"]].to_numpy()
        if column["role"] == "categorical":
            shape = (len(values), column["vocabulary_size"])
            blocks.append(sparse.csr_matrix((np.ones(len(values)), values, np.arange(len(values) + 1)), shape=shape))
        elif column["role"] == "numeric":
            blocks.append(sparse.csr_matrix(values.reshape(-1, 1)))
    return sparse.hstack(blocks, format="csr")


def fit(model: LogisticRegression, rows: sparse.csr_matrix, labels: np.ndarray) -> None:
    """Fits the model, from where its last fit ended, until it has converged."""
    model.fit(rows, labels)
    if model.n_iter_[0] >= model.max_iter:
        raise SystemExit(f"baseline.py: C={model.C} did not converge")


def auc(model: LogisticRegression, rows: sparse.csr_matrix, labels: np.ndarray) -> float:
    """Area under the ROC curve."""
    return float(roc_auc_score(labels, model.decision_function(rows)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="directory that prepare.py wrote")
    parser.add_argument("--out", type=Path, help="file for the result (default: baseline.json in that directory)")
    options = parser.parse_args()

    schema = json.loads((options.data / "schema.json").read_text())
    train, test = pd.read_csv(options.data / "train.csv"), pd.read_csv(options.data / "test.csv")
    rows, labels = features(train, schema), train["label"].to_numpy()
    held = train["id"].to_numpy() >= schema["validation_from_id"]

    validation = {}
    model = LogisticRegression(tol=1e-4, max_iter=5000, warm_start=True)
    for strength in STRENGTHS:
        fit(model.set_params(C=strength), rows[~held], labels[~held])
        validation[strength] = auc(model, rows[held], labels[held])
    best = max(validation, key=validation.__getitem__)
    fit(model.set_params(C=best, tol=1e-6), rows, labels)
    result = {
        "baseline_auc": round(auc(model, features(test, schema), test["label"].to_numpy()), 4),
        "C": best,
        "validation_auc": {str(strength): round(value, 4) for strength, value in validation.items()},
        "iterations": int(model.n_iter_[0]),
    }
    line = json.dumps(result)
    (options.out or options.data / "baseline.json").write_text(line + "\n")
    print(line)


if __name__ == "__main__":
    main()
