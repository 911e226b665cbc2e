"""A platform that is scraped during purchases: every expression of the dashboards returns data, every
alert can be evaluated over existing series, and the figures are right."""

import contextlib
import json
import re
import subprocess
import time

import pytest
import yaml
from prometheus import RULES
from shop import Shop
from testbed import ROOT, StartError, wait_until

DASHBOARDS = sorted((ROOT / "k8s/monitoring/dashboards").glob("*.json"))
CASES = ROOT / "tests/observe/alerts.yaml"

EVENTUALLY = 60  # seconds, on a busy machine
BOUGHT = 11

# Words of PromQL that are no series; labels are cut out before.
WORDS = set(
    "and or unless on by sum max rate increase changes avg_over_time histogram_quantile clamp_min"
    " label_replace vector bool".split()
)


def rules(kind):
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule[kind]: rule for group in groups for rule in group["rules"] if kind in rule}


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def dashboard_expressions():
    for path in DASHBOARDS:
        for panel in panels(json.loads(path.read_text())):
            for target in panel["targets"]:
                yield pytest.param(target["expr"], id=f"{path.stem}-{panel['title']}-{target['refId']}")


def series_of(expression):
    """Names of the series that an expression reads."""
    text = re.sub(r'"[^"]*"', "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", text)
    text = re.sub(r"\b(by|on) *\([^)]*\)", " ", text)
    return set(re.findall(r"\b[a-z_][a-z0-9_:]*\b", text)) - WORDS


def wait_for_data(prometheus, expression):
    """Of a target that did not answer in time, there is none until the next second."""
    wait_until(lambda: prometheus.query(expression), EVENTUALLY, f"there is {expression}")


def total(prometheus, expression):
    return sum(prometheus.query(expression).values())


def buy_and_fail(bed, prometheus):
    """Purchases, a stock-out, a sibling that is down, and mistakes of clients."""
    shop = Shop(bed)
    product = shop.make_product(inventory=30)
    late = shop.make_cart({product: 3})
    for _ in range(9):
        shop.buy({product: 3})
    lost = shop.make_cart({product: 3})
    shop.buy({product: 3})
    answer = shop.post_order(lost)
    assert answer.status == 409 and answer.json()["code"] == "insufficient-stock"
    assert shop.post_order(late).status == 409
    # The worker that has counted them is killed next.
    wait_for_data(prometheus, "product_stock_outs_total == 2")
    bed.product.kill_worker()
    cart = shop.make_cart()
    body = {"product_id": product, "quantity": 1}
    assert shop.cart.post(f"/carts/{cart}/items", json=body).status == 503
    bed.product.start_worker()


@pytest.fixture(scope="module")
def scraped(platform, prometheus):
    """Prometheus, once it has seen everything: rates need the series before and after."""
    Shop(platform).buy({Shop(platform).make_product(): 1})
    wait_until(lambda: len(prometheus.query("shop:error_ratio:rate5m")) == 3, EVENTUALLY, "rules have results")
    buy_and_fail(platform, prometheus)
    over = f'timestamp(up{{job="shop"}}) > {time.time()} and up == 1'
    wait_until(lambda: len(prometheus.query(over)) == 3, EVENTUALLY, "all is seen")
    # Counted every 15 s.
    for counted in ("order_orders", "cart_checkouts_consumed_last_hour"):
        wait_until(lambda: total(prometheus, counted) >= BOUGHT, EVENTUALLY, counted)  # noqa: B023
    return prometheus


def test_every_rule_is_healthy_and_nothing_fires(scraped):
    groups = scraped.ask("rules")["groups"]
    found = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert set(found) == set(rules("alert")) | set(rules("record"))
    assert {name: rule.get("lastError") for name, rule in found.items() if rule["health"] != "ok"} == {}
    assert [a for a in scraped.ask("alerts")["alerts"] if a["state"] == "firing"] == []


@pytest.mark.parametrize("expression", dashboard_expressions())
def test_every_panel_has_data(scraped, expression):
    expression = expression.replace("$__rate_interval", "1m").replace("$service", ".+")
    assert "$" not in expression
    wait_for_data(scraped, expression)


def with_answers(expression):
    """The same comparisons, but with the result 0 or 1 instead of a missing result."""
    return re.sub(r"(>=|==|>)(?= )", r"\1 bool", expression)


@pytest.mark.parametrize("alert", rules("alert"))
def test_every_alert_has_data_to_judge(scraped, alert):
    expression = rules("alert")[alert]["expr"]
    assert with_answers(expression) != expression
    names = series_of(expression)
    assert names
    for name in names:
        wait_for_data(scraped, name)
    # All are ready here: a test below takes one away.
    if alert != "NoReadyReplica":
        wait_for_data(scraped, with_answers(expression))


def test_a_bad_expression_would_be_found(scraped):
    assert series_of('rate(a_total{b="c"}[5m]) / on (d) e') == {"a_total", "e"}
    assert not scraped.query("db_pool_conections")
    assert not scraped.query('order_orders{status="unknown"}')


def test_figures_are_those_of_what_was_done(scraped):
    created, durations = 'operation="createOrder"', "http_request_duration_seconds_bucket"
    wanted = {
        f'http_requests_total{{{created},status="201"}}': BOUGHT,
        "order_orders": BOUGHT,
        f'http_requests_total{{{created},status="409"}}': 2,
        f'{durations}{{{created},status="201",le="+Inf"}}': BOUGHT,
        f'{durations}{{{created},status="409",le="+Inf"}}': 2,
        f'{durations}{{{created},status="409",le="5"}}': 2,
        "cart_checkouts_consumed_last_hour": BOUGHT,
        "max_over_time(product_stock_outs_total[5m])": 2,
        'http_requests_total{service="cart",status="503"}': 1,
        'upstream_failures_total{service="cart"} >= bool 1': 1,
        "service_ready": 3,
        'nginx_connections{service="cart",state="writing"} >= bool 1': 1,
        # The product service has just been started.
        'db_transactions_total{service!="product"} / db_commits_total >= bool 1': 2,
    }

    def found():
        return {expression: total(scraped, expression) for expression in wanted}

    with contextlib.suppress(StartError):
        wait_until(lambda: found() == wanted, EVENTUALLY, "no target was missed")
    assert found() == wanted


def test_readiness_and_its_figure_agree(platform, scraped):
    """A store that cannot be reached: the metric shows it before anything else fails."""
    assert b"\nservice_ready 1\n" in platform.order.health.get("/metrics").body
    platform.product.kill_worker()
    try:
        assert platform.product.health.get("/metrics").status == 502
        wait_until(
            lambda: scraped.query('up{service="product"} == 0')
            and not scraped.query('service_ready{service="product"}'),
            EVENTUALLY,
            "the product service is missing",
        )
        firing = rules("alert")["NoReadyReplica"]["expr"]
        alone = [{"service": "product"}]
        wait_until(lambda: [dict(labels) for labels in scraped.query(firing)] == alone, EVENTUALLY, "it alone is")
    finally:
        platform.product.start_worker()


@pytest.mark.parametrize("service", ["product", "cart", "order"])
def test_the_page_is_what_promtool_expects(platform, service):
    page = platform.services[service].health.get("/metrics")
    assert page.header("Content-Type") == "text/plain; version=0.0.4"
    done = subprocess.run(["promtool", "check", "metrics"], input=page.body, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def documented():
    """Series and their types, from the table of docs/MONITORING.md."""
    text = (ROOT / "docs/MONITORING.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)[^`]*` \| (\w+) \|", text, re.M)
    assert len(rows) == len(dict(rows))
    return dict(rows)


def test_every_series_is_documented(platform, scraped):
    found = {}
    for service in platform.services.values():
        page = service.health.get("/metrics").body.decode()
        found |= dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.M))
    assert found == documented()


def test_rules_pass_their_tests():
    for command in (["check", "rules", RULES], ["test", "rules", CASES]):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_and_a_page_to_read():
    cases = yaml.safe_load(CASES.read_text())["tests"]
    fired = {
        test["alertname"] for case in cases for test in case["alert_rule_test"] if test["exp_alerts"]
    }
    assert fired == set(rules("alert"))
    headings = re.findall(r"^### (\w+)$", (ROOT / "docs/MONITORING.md").read_text(), re.M)
    for name, rule in rules("alert").items():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/MONITORING.md" and anchor == name.lower() and name in headings


def test_a_wrong_rule_would_not_pass(tmp_path):
    limit = "order_outbox_oldest_seconds) > 120"
    wrong = RULES.read_text().replace(limit, limit + "00")
    assert wrong != RULES.read_text()
    (tmp_path / "rules.yaml").write_text(wrong)
    cases = CASES.read_text().replace("../../k8s/monitoring/prometheus/rules.yaml", "rules.yaml")
    (tmp_path / "cases.yaml").write_text(cases)
    done = subprocess.run(["promtool", "test", "rules", tmp_path / "cases.yaml"], capture_output=True)
    assert done.returncode != 0


def test_the_operator_gets_the_same_rules():
    folder = ROOT / "k8s/monitoring/operator"
    made = subprocess.run([folder / "make-rules.sh"], check=True, capture_output=True, text=True).stdout
    assert made == (folder / "rules.yaml").read_text(), f"run {folder}/make-rules.sh > rules.yaml"
    assert yaml.safe_load(made)["spec"] == yaml.safe_load(RULES.read_text())


def test_dashboards_are_provisioned():
    folder = ROOT / "k8s/monitoring"
    source = yaml.safe_load((folder / "grafana/datasources.yaml").read_text())["datasources"][0]
    packed = yaml.safe_load((folder / "dashboards/kustomization.yaml").read_text())
    assert sorted(packed["configMapGenerator"][0]["files"]) == [path.name for path in DASHBOARDS]
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text())
        assert dashboard["uid"] == path.stem
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(ids) == len(set(ids))
        for panel in panels(dashboard):
            assert panel["targets"] and panel["title"]
            uids = {t["datasource"]["uid"] for t in panel["targets"]} | {panel["datasource"]["uid"]}
            assert uids == {source["uid"]}
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
