"""Python source for the resources of `pulumi import`."""
