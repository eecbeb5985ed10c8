"""The options that choose a model, the same for every command that takes one."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from qa.generate import SECONDS

if TYPE_CHECKING:
    from qa.generate import Model

KEY = "GAZETTE_MODEL_KEY"  # environment variable: a key on the command line would stand in the list of processes


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """``--model`` and what belongs to it."""
    group = parser.add_argument_group("模型（可选；用法见 docs/models.md）")
    group.add_argument(
        "--model",
        metavar="FOLDER_OR_NAME",
        help="写摘要的模型：transformers 文件夹或已下载的名称，或 openai:http://127.0.0.1:端口/v1#模型名",
    )
    group.add_argument(
        "--model-host",
        action="append",
        default=[],
        metavar="HOST",
        help="允许把问题和原文发给这台机器上的模型服务；缺省只问本机",
    )
    group.add_argument(
        "--model-seconds", type=float, default=SECONDS, metavar="N", help=f"写一份摘要的时限（缺省 {SECONDS:.0f} 秒）"
    )
    group.add_argument("--rewrite", action="store_true", help="让模型补全追问、把问题换成公文说法再检索")


def model_of(args: argparse.Namespace) -> Model | None:
    """The model that was asked for, or None. What it will take is told on standard error before it is loaded.

    Raises:
        ModelError: if it cannot be had.
    """
    if args.model is None:
        return None
    from qa.generate import load_model

    return load_model(args.model, hosts=args.model_host, key=os.environ.get(KEY), told=_tell)


def model_or_none(args: argparse.Namespace, command: str) -> Model | None:
    """The same, but a model that cannot be had is told in one line, and the work goes on without it."""
    from qa.generate import ModelError

    try:
        return model_of(args)
    except ModelError as error:
        _tell(f"{command}: {error}。没有模型，改用原文要点")
        return None


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
