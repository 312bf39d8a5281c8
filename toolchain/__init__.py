"""The Pulumi toolchain for machines that reach package mirrors and nothing else."""
