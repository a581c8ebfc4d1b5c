"""Why a device does not work, in the request's language.

Devices tell people in Vietnamese; `{name}` stands for what they put in. A reason that is not here is shown as the device told
it: a wrong word helps nobody, a Vietnamese one helps most.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from flask_babel import gettext

from local_api.languages import mark

#: Every reason of `devices` and of the journal, as templates; a test holds them to the sources.
REASONS = (
    mark("Chưa khởi động"),
    mark("Bảng nút bị rút dây: hãy kiểm tra và cắm lại đầu nối của bảng."),
    mark("Bảng nút không trả lời trên đường RS-485. Hãy kiểm tra dây RS-485, nguồn của bảng và địa chỉ {address}."),
    mark("Lỗi chương trình khi mở thiết bị. Hãy báo người phụ trách kỹ thuật."),
    mark(
        "Thiếu thư viện lgpio nên không dùng được chân GPIO. "
        "Hãy cài gói python3-lgpio của Raspberry Pi OS rồi khởi động lại chương trình."
    ),
    mark(
        "Máy này không phải Raspberry Pi nên không có chân GPIO. "
        'Hãy chạy trên Raspberry Pi, hoặc đặt wire = "simulated" để mô phỏng.'
    ),
    mark(
        "Không mở được /dev/gpiochip0. "
        "Hãy thêm người dùng của chương trình vào nhóm gpio và xem thiết bị /dev/gpiochip0 có tồn tại không."
    ),
    mark(
        "Không đọc được chân GPIO {pin}. Hãy kiểm tra dây của thiết bị; nếu vẫn lỗi, hãy khởi động lại bộ điều khiển."
    ),
    mark(
        "Không điều khiển được chân GPIO {pin}. "
        "Hãy kiểm tra dây của thiết bị; nếu vẫn lỗi, hãy khởi động lại bộ điều khiển."
    ),
    mark("Chưa mở được GPIO của máy này"),
    mark("Không dùng được chân GPIO {pin}. Hãy xem chân này có bị thiết bị khác dùng không."),
    mark("Mất kết nối với bộ chuyển đổi RS-485. Hãy kiểm tra và cắm lại cáp USB của nó."),
    mark("Không mở được {path}: không có thiết bị này. Hãy kiểm tra bộ chuyển đổi RS-485 và cáp USB."),
    mark("Không mở được {path}: không có quyền. Hãy thêm người dùng của chương trình vào nhóm dialout."),
    mark("Không mở được {path}: chương trình khác đang dùng cổng này. Hãy tắt chương trình đó."),
    mark(
        "Không mở được {path}: cổng này không dùng được. Hãy kiểm tra đường dẫn của cổng nối tiếp trong tệp cấu hình."
    ),
    mark("Thẻ nhớ hoặc ổ đĩa đầy hoặc không cho ghi; chưa ghi gì. Hãy giải phóng chỗ trống."),
    mark("Lỗi khi ghi vào thẻ nhớ hoặc ổ đĩa: chương trình sẽ khởi động lại."),
    mark("Nhật ký dừng vì lỗi: chương trình sẽ khởi động lại."),
    mark("đang dừng"),
)


class Reason(NamedTuple):
    """Words, and whether they stayed Vietnamese."""

    text: str
    translated: bool


def reason_words(told: str) -> Reason:
    """`told` in the request's language, where it is known."""
    for template in REASONS:
        if match := _pattern(template).fullmatch(told):
            return Reason(gettext(template).format(**match.groupdict()), translated=True)
    return Reason(told, translated=False)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts)), re.DOTALL
    )
