"""The touch page of a counter without buttons: one question, big faces, thanks after COMMIT.

It holds no stream and shows no figure. Both languages stand in the page and one is shown: a foreigner's touch on "English" must
not need the node, nor leave the kiosk in English for the next person.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import force_locale, lazy_gettext

from firmware_py.core.ports import NodePort
from local_api.faces import Face, faces
from local_api.languages import LANGUAGES
from local_api.pages import page_context
from local_api.problems import ProblemError

TEXTS: Mapping[str, Any] = {
    "question": lazy_gettext("Ông/bà có hài lòng với sự phục vụ ở quầy này không?"),
    "how": lazy_gettext("Mời chạm vào một khuôn mặt. Không ai biết ông/bà là ai."),
    "sending": lazy_gettext("Đang ghi nhận…"),
    "wait": lazy_gettext("Xin ông/bà chờ một chút."),
    "late": lazy_gettext("Chưa ghi nhận được. Xin báo cán bộ."),
    "trying": lazy_gettext("Máy vẫn đang thử lại, ông/bà không cần chạm thêm."),
    "thanks": lazy_gettext("Cảm ơn ông/bà!"),
    "kept": lazy_gettext("Ý kiến của ông/bà đã được ghi nhận."),
    "correct_before": lazy_gettext("Bấm nhầm? Bấm lại trong"),
    "correct_after": lazy_gettext("giây"),
    "away": lazy_gettext("Tạm thời không nhận đánh giá"),
    "sorry": lazy_gettext("Xin lỗi ông/bà. Xin báo cán bộ tại quầy."),
    "starting": lazy_gettext("Đang chuẩn bị…"),
    "lower": lazy_gettext("Hạ thấp các nút"),
    "raise": lazy_gettext("Đưa các nút lên lại"),
    "faces": lazy_gettext("Các mức hài lòng"),
}


def rate_blueprint(node: NodePort) -> Blueprint:
    """The touch pages of `node`."""
    area = Blueprint("rate", __name__)
    area.context_processor(lambda: page_context(node))
    ratings = node.settings.ratings
    names = {counter.id: counter.name for counter in node.settings.counters}

    @area.get("/rate/<counter>")
    def page(counter: str) -> Response:
        if counter not in names:
            return _unknown(counter)
        in_order: list[Face] = faces(ratings.levels, ratings.order)
        html = render_template(
            "rate.html",
            counter=counter,
            name=names[counter],
            texts=_in_each_language(lambda: {key: str(text) for key, text in TEXTS.items()}),
            words=_in_each_language(lambda: {face.level: face.word for face in faces(ratings.levels)}),
            faces=in_order,
            ratings=ratings,
            seconds=math.ceil(ratings.correction_s),
            low=request.args.get("reach") == "low",
        )
        return make_response(html)

    def _unknown(counter: str) -> Response:
        """In words for people with a browser, as a problem for programs."""
        accepts = request.accept_mimetypes
        if accepts["text/html"] <= accepts["application/problem+json"] or not accepts.accept_html:
            raise ProblemError(404, "unknown_counter", "Unknown counter", "The site file has no counter with this id.")
        return make_response(render_template("no_counter.html", counter=counter, names=names), 404)

    return area


def _in_each_language(make: Callable[[], Mapping[Any, str]]) -> dict[str, Mapping[Any, str]]:
    """The same words in every language of the product."""
    found: dict[str, Mapping[Any, str]] = {}
    for language in LANGUAGES:
        with force_locale(language):
            found[language] = make()
    return found
