"""Backstage's descriptors, read one document at a time."""

import pytest

from app.services.catalog_info import CatalogInfo, CatalogInfoError, parse_catalog_info
from app.web.annotations import AnnotationLink, annotation_links


def parse(
    kind: str, metadata: str = "", spec: str = "owner: team-a", more: str = ""
) -> CatalogInfo:
    """A file of one document, whose name is `it` unless the metadata has another."""
    name = "" if "name:" in metadata.replace("namespace:", "") else "name: it, "
    head = f"apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata: {{{name}{metadata}}}"
    return parse_catalog_info(f"{head}\nspec: {{{spec}}}\n{more}")


def test_every_metadata_of_a_descriptor_is_kept() -> None:
    links = '[{url: "https://a.example", title: A, icon: dashboard, type: admin}]'
    values = f"annotations: {{a.example/b: 'c: d'}}, labels: {{tier: '1', e: ''}}, links: {links}"
    info = parse("Component", values, "owner: team-a, type: service, unknown: {deep: [1]}")
    entity = info.entities[0].entity
    assert info.warnings == []
    assert entity.annotations == {"a.example/b": "c: d"}
    assert entity.labels == {"tier": "1", "e": ""}
    assert entity.spec == {"type": "service", "unknown": {"deep": [1]}}
    assert [link.model_dump() for link in entity.links] == [
        {"url": "https://a.example", "title": "A", "icon": "dashboard", "type": "admin"}
    ]


@pytest.mark.parametrize(
    ("owner", "namespace", "team"),
    [
        ("team-a", "default", "team-a"),
        ("group:default/Team-A", "default", "team-a"),
        ("Group:team_a.b", "default", "team_a.b"),
        ("group:other/team-a", "default", "other:team-a"),
        ("team-a", "other", "other:team-a"),
        ("default/team-a", "OTHER", "team-a"),
        ("group:Default/payments", "default", "payments"),
        ("group:Other/payments", "default", "other:payments"),
        ("user:guest", "default", "@guest"),
        ("user:other/frank.tiernan", "default", "@other:frank.tiernan"),
    ],
)
def test_owner_is_the_team_that_backstage_means(owner: str, namespace: str, team: str) -> None:
    info = parse("Component", f"namespace: {namespace}", f"owner: '{owner}'")
    assert info.entities[0].entity.owner == team


@pytest.mark.parametrize(
    ("kind", "spec", "stated"),
    [
        ("Component", "system: s", ("part_of", "system:default/s", False)),
        ("Component", "subcomponentOf: Parent", ("part_of", "component:default/Parent", False)),
        ("System", "domain: d", ("part_of", "domain:default/d", False)),
        ("Domain", "subdomainOf: d", ("part_of", "domain:default/d", False)),
        ("API", "system: other/s", ("part_of", "system:other/s", False)),
        ("Resource", "dependsOn: ['Resource:db']", ("depends_on", "resource:default/db", False)),
        ("Resource", "dependencyOf: ['component:c']", ("depends_on", "component:default/c", True)),
        ("Component", "providesApis: [a]", ("provides", "api:default/a", False)),
        ("Component", "consumesApis: ['component:c']", ("consumes", "component:default/c", False)),
    ],
)
def test_relation_is_what_its_field_means(
    kind: str, spec: str, stated: tuple[str, str, bool]
) -> None:
    [target] = parse(kind, spec=f"owner: team-a, {spec}").entities[0].targets.values()
    assert (target.type, str(target.other), target.inverse) == stated


@pytest.mark.parametrize(
    ("kind", "metadata", "spec", "warning"),
    [
        (
            "Component",
            "uid: 1, tags: [Java]",
            "owner: team-a",
            "metadata.tags: in lower case (got 'Java')|not kept: metadata.uid",
        ),
        (
            "Component",
            "links: [{url: 'slack://channel'}]",
            "owner: team-a",
            "metadata.links[0]: not kept: only links of http and https are (got 'slack://channel')",
        ),
        (
            "Component",
            "",
            "owner: team-a, dependsOn: ['template:t']",
            "spec.dependsOn[0]: not kept: the portal has no kind 'template' (got 'template:t')",
        ),
        (
            "Location",
            "",
            "target: ./a.yaml, targets: [./b.yaml]",
            "kind: skipped: an import reads no other file. Import what it names: "
            "./a.yaml, ./b.yaml",
        ),
        ("Template", "", "", "kind: skipped: the portal has no kind 'Template'"),
        ("User", "", "", "spec.profile.email: not there: nobody's account can be known by it"),
        ("Group", "", "type: team, parent: p", "not kept: spec.type, spec.parent"),
    ],
)
def test_what_is_not_kept_is_said(kind: str, metadata: str, spec: str, warning: str) -> None:
    found = parse(kind, metadata, spec).warnings
    assert [said for _, said in found] == [f"document 1: {one}" for one in warning.split("|")]


@pytest.mark.parametrize(
    ("kind", "metadata", "spec", "mistake"),
    [
        (
            "API",
            "",
            "owner: team-a, type: openapi, definition: {$text: ./a.yaml}",
            "spec.definition.$text: should be the text itself: an import reads no other file "
            "(got './a.yaml'). Put the file's content in its place",
        ),
        (
            "API",
            "",
            "owner: team-a, definition: [1]",
            "spec.definition: should be the document as text (got [1])",
        ),
        (
            "Component",
            "labels: {version: 1.20}",
            "owner: team-a",
            "metadata.labels.version: should be a valid string (got 1.2)",
        ),
        (
            "Component",
            "",
            "owner: 'robot:x'",
            "spec.owner: should be like group:default/platform or user:default/ada (got 'robot:x')",
        ),
        (
            "Component",
            "",
            "owner: team-a, dependsOn: [db]",
            "spec.dependsOn[0]: should name an entity, like component:default/name (got 'db')",
        ),
        (
            "Component",
            "",
            "owner: team-a, subcomponentOf: IT",
            "spec.subcomponentOf: should not name the entity itself (got 'component:default/IT')",
        ),
        (
            "Component",
            "",
            "owner: team-a, system: [s]",
            "spec.system: should be one reference (got ['s'])",
        ),
    ],
)
def test_mistake_is_named_with_its_place(kind: str, metadata: str, spec: str, mistake: str) -> None:
    with pytest.raises(CatalogInfoError) as caught:
        parse(kind, metadata, spec)
    assert caught.value.mistakes == [f"document 1: {mistake}"]


def test_names_that_differ_in_case_alone_are_the_same() -> None:
    head = "apiVersion: backstage.io/v1alpha1, kind: API"
    again = f"---\n{{{head}, metadata: {{name: IT}}, spec: {{owner: a}}}}"
    with pytest.raises(CatalogInfoError) as caught:
        parse("API", more=again)
    rule = "document 2: should describe api:default/IT once (document 1 does)"
    assert caught.value.mistakes == [rule]


def test_groups_and_users_are_teams_and_people() -> None:
    profile = "displayName: Ada L., email: Ada@Example.com"
    [user] = parse(
        "User", "name: Ada", f"profile: {{{profile}}}, memberOf: [team-a, other/b]"
    ).users
    assert user.person.model_dump() == {
        "handle": "ada",
        "email": "ada@example.com",
        "name": "Ada L.",
    }
    assert [*user.teams.values()] == ["team-a", "other:b"]
    [group] = parse("Group", "namespace: other", "members: [Ada, default/bob]").groups
    assert (group.team.name, group.team.title) == ("other:it", "it")
    assert [*group.members.values()] == ["other:ada", "bob"]


@pytest.mark.parametrize(
    ("key", "value", "title", "url"),
    [
        (
            "backstage.io/source-location",
            "url:https://g.example/a/",
            "Source code",
            "https://g.example/a/",
        ),
        ("backstage.io/techdocs-ref", "dir:./docs", "TechDocs source", "https://g.example/a/docs"),
        (
            "backstage.io/techdocs-ref",
            "url:https://d.example",
            "TechDocs source",
            "https://d.example",
        ),
        ("github.com/project-slug", "a/b", "GitHub", "https://github.com/a/b"),
        (
            "pagerduty.com/service-id",
            "P1",
            "PagerDuty",
            "https://app.pagerduty.com/service-directory/P1",
        ),
        (
            "grafana/overview-dashboard",
            "https://f.example/d",
            "Grafana dashboard",
            "https://f.example/d",
        ),
        ("acme.example/runbook-url", "https://r.example", "Runbook", "https://r.example"),
        ("acme.example/any", "https://a.example", "acme.example/any", "https://a.example"),
    ],
)
def test_known_annotation_is_a_link(key: str, value: str, title: str, url: str) -> None:
    source = {"backstage.io/source-location": "url:https://g.example/a/"}
    assert AnnotationLink(key, title, url) in annotation_links({**source, key: value})


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "url:data:text/html,x", "dir:.", "secret"]
)
def test_annotation_that_leads_nowhere_is_no_link(value: str) -> None:
    assert (
        annotation_links(
            {"backstage.io/techdocs-ref": value, "pagerduty.com/integration-key": value}
        )
        == []
    )
