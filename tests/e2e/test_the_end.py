import psutil
import pytest

from bench.product import Product

pytestmark = pytest.mark.slow


def test_ctrl_c_leaves_nothing_running(product: Product) -> None:
    children = psutil.Process(product.pid).children(recursive=True)
    assert len(children) >= 4, "vLLM, workspace, bot and scheduler"
    said = product.stop()
    assert "Everything is stopped." in said
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
