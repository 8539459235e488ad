import pytest

from agegender.brief import link_problem, share_host


@pytest.mark.parametrize(
    ("link", "service"),
    [
        ("https://drive.google.com/file/d/1AbCdEfGhIjKlMn_-/view?usp=sharing", "Google Drive"),
        ("https://drive.google.com/open?id=1AbCdEfGhIjKlMn", "Google Drive"),
        ("https://drive.google.com/drive/folders/1AbCdEfGhIjKlMn?usp=drive_link", "Google Drive"),
        ("https://drive.google.com/uc?export=download&id=1AbCdEfGhIjKlMn", "Google Drive"),
        ("https://1drv.ms/u/s!AbCdEfGhIj", "OneDrive"),
        ("https://onedrive.live.com/?authkey=%21A&id=AB%21123", "OneDrive"),
        ("https://school-my.sharepoint.com/:u:/g/personal/s1/EabcdEf?e=1", "SharePoint"),
        ("https://www.dropbox.com/scl/fi/abc123/age_gender_A.keras?rlkey=x&dl=0", "Dropbox"),
        ("https://school.box.com/s/abc123", "Box"),
    ],
)
def test_share_links_are_known(link: str, service: str):
    assert share_host(link) == service
    assert link_problem(link) == ""


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("", "no link"),
        ("age_gender_A.keras", "https"),
        ("http://drive.google.com/file/d/1AbCdEfGhIjKlMn/view", "https"),
        ("https://drive.google.com/file/d/1AbC dEfGhIjKlMn/view", "spaces"),
        ("https://drive.google.com/drive/u/0/my-drive", "owner"),
        ("https://school-my.sharepoint.com/personal/s1/_layouts/15/onedrive.aspx?view=1", "owner"),
        ("https://drive.google.com.example.org/file/d/1AbCdEfGhIjKlMn/view", "no share link"),
        ("https://example.org/age_gender_A.keras", "no share link"),
    ],
)
def test_other_links_are_refused_with_a_reason(link: str, said: str):
    assert said in link_problem(link)
