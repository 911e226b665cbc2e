"""What is not there costs nothing."""


def test_unknown_path_is_404(platform):
    assert platform.gateway.get("/nothing/here").status == 404
