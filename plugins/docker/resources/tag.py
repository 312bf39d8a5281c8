"""`docker.Tag`: a further name for an image that the engine holds."""

from docker.errors import ImageNotFound

from plugins.docker.context import Context
from plugins.docker.errors import ResourceError
from plugins.docker.fields import replaces, unordered
from plugins.docker.image_names import split_tag
from plugins.docker.image_transfer import ImageTransfer
from plugins.docker.resource import (
    CreateRequest,
    DeleteRequest,
    Made,
    Read,
    ReadRequest,
    Resource,
)


class TagResource(Resource):
    """Names an image; every edit names anew, and destroying leaves the name.

    Unlike the official provider's, `read` finds the tag gone when its name is missing or means
    another image, so that `pulumi refresh` and `up` bring it back.
    """

    token = "docker:index/tag:Tag"
    fields = {  # noqa: RUF012 - declared as a ClassVar by the base class
        "sourceImage": replaces(),
        "targetImage": replaces(),
        "tagTriggers": replaces(normalise=unordered),
    }

    def create(self, context: Context, request: CreateRequest) -> Made:
        """Name the source image.

        Raises
        ------
        ResourceError
            Raised when the engine does not hold it.
        """
        source, target = request.inputs["sourceImage"], request.inputs["targetImage"]
        repository, tag = split_tag(target)
        try:
            context.client.api.tag(source, repository, tag)
            image_id = context.client.api.inspect_image(source)["Id"]
        except ImageNotFound as error:
            raise ResourceError(
                f"tag '{target}': its source '{source}' should be present locally "
                "(got: not found). Build or pull it first."
            ) from error
        return Made(f"{source}.{target}", request.inputs | {"sourceImageId": image_id})

    def read(self, context: Context, request: ReadRequest) -> Read | None:
        """Find the name, still meaning the image it was given to."""
        target = request.state.get("targetImage")
        image = ImageTransfer(context.client).local_image(target) if target else None
        if image is None or image["Id"] != request.state["sourceImageId"]:
            return None
        return Read(request.id, request.state, request.inputs)

    def delete(self, context: Context, request: DeleteRequest) -> None:
        """Leave the name, as the official provider does."""
