"""What notebooks show of an estimator: its network, and links to our pages."""

import contextlib
import html
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata

from ._engine.networks import layers


class NetworkHTMLMixin:
    """Show the fitted network below scikit-learn's diagram, and link to our pages."""

    def _get_doc_link(self):
        own = type(self).__module__.partition(".")[0] == "sklearn_ae"
        site = documentation() if own else None
        return f"{site}/api/sklearn_ae.{type(self).__name__}.html" if site else ""

    def _repr_html_inner(self):
        return super()._repr_html_inner() + self._network_html()

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] += self._network_html()
        return bundle

    def _network_html(self):
        model = getattr(self, "best_estimator_", self)  # of a search
        if not hasattr(model, "net_"):
            return ""
        codec, lines = model._fitted.codec, []
        module, blueprint = codec.net.module_, codec.blueprint
        for name, layer, shape in layers(module, blueprint.widths.n_features):
            own = _n_parameters(layer, recurse=False)
            # "network." is for what the network is wrapped in.
            name, kind = name.replace("network.", ""), type(layer).__name__
            lines.append([name, kind, " × ".join(map(str, shape)), f"{own:,}"])
        for name, part in codec.objective.named_children():
            if own := _n_parameters(part):
                lines.append([name, type(part).__name__, "", f"{own:,}"])
        header = ["layer", "kind", "output", "parameters"]
        rows = [
            "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in line)
            for tag, line in [("th", header), *(("td", line) for line in lines)]
        ]
        title = f"{blueprint.network.__name__}: {_n_parameters(module):,}"
        return (
            f"<details open><summary>{html.escape(title)} parameters</summary><table>"
            f"{''.join(f'<tr>{row}</tr>' for row in rows)}</table></details>"
        )


@cache
def documentation():
    """Return the address that pyproject.toml has under project.urls.

    It is None while a placeholder stands there.
    """
    with contextlib.suppress(PackageNotFoundError):
        for line in metadata("sklearn-ae").get_all("Project-URL", ()):
            name, _, address = line.partition(", ")
            if name.lower() == "documentation" and "//example.org/" not in address:
                return address.rstrip("/")
    return None


def _n_parameters(module, recurse=True):
    return sum(part.numel() for part in module.parameters(recurse=recurse))
