"""The names that shops, logs and research data give to their columns, in English and Chinese.

Each line: the canonical name, then the names taken for it, the likeliest first, without case, spaces, underscores,
hyphens and dots.
"""

from zhiyin.data.settings import TableName


def _read(text: str) -> dict[str, tuple[str, ...]]:
    """Canonical name → aliases; a line that starts with a space goes on with the one above."""
    aliases: dict[str, tuple[str, ...]] = {}
    canonical = ""
    for line in text.strip().splitlines():
        if line.startswith(" "):
            aliases[canonical] += tuple(line.split())
        else:
            canonical, *names = line.split()
            aliases[canonical] = tuple(names)
    return aliases


_EVENTS = _read("""
user_id     userid user uid customerid customer visitorid visitor msno memberid member householdid household clientid
            client buyerid buyer shopperid shopper accountid account reviewerid reviewer listenerid listener personid
            person useridx userkey usercode customernumber customerno sessionid session 用户id 用户 用户编号 用户标识
            用户号 会员id 会员 会员编号 客户id 客户 客户编号 买家id 买家 顾客id 顾客
item_id     itemid item productid product sku skuid asin parentasin stockcode articleid article goodsid goods spuid
            movieid movie songid song trackid track artistid artist albumid bookid book isbn videoid video photoid
            newsid contentid content businessid poiid locationid listingid offerid recipeid gameid appid app courseid
            itemidx productcode itemcode 商品id 商品 商品编号 物品id 物品 产品id 产品 产品编号 货号 项目id 电影id
            电影 歌曲id 歌曲 视频id 作品id
timestamp   timestamp time datetime eventtime eventtimestamp ts invoicedate transactiontimestamp transactiondate
            orderdate ordertime purchasedate purchasetime createdat created unixtimestamp unixtime unixreviewtime
            reviewtime timems timestampms clicktime date day t 时间 时间戳 日期 日期时间 下单时间 购买时间 行为时间
            创建时间 评分时间 交易时间
event_type  eventtype event eventname action actiontype behavior behaviour behaviortype behaviourtype interaction
            interactiontype type kind 行为类型 行为 事件类型 事件 动作 类型
value       value rating stars score overall weight plays playcount listencount listens watchratio cnt count 评分
            打分 分数 评价 播放次数 次数 权重
price       price unitprice itemprice pricepaid saleprice sellingprice listprice 价格 单价 售价 成交价 商品价格
quantity    quantity qty units amountofitems itemcount 数量 件数 购买数量
""")

_ITEMS = _read("""
title       title name itemname productname itemtitle producttitle movietitle songname trackname 标题 名称 商品名称
            商品标题 商品名 品名 电影名
description description desc itemdescription productdescription details summary overview text 描述 简介 商品描述 详情
            介绍
category    category categories genre genres productcategory itemcategory categoryname categoryid categorycode
            department 类别 分类 品类 类目 商品类别 商品类目 类型
brand       brand brandname manufacturer maker 品牌 厂商
available   available isavailable instock active isactive availability onsale 在售 有货 是否有货 是否在售 上架
created_at  createdat created releasedate released publishdate publishedat addedat launchdate 上架时间 创建时间
            发布时间 上映日期
image       image imageurl img picture pictureurl photo thumbnail 图片 图片链接 主图
""")

_FRIENDS = _read("""
friend_id   friendid friend followeeid followee followedid followed trusteeid trustee targetid target to 好友id 好友
            朋友id 朋友 关注 关注id
""")

# Of an event line. Not a bare "name", which may be a person's; a "description" there names the article.
_TITLE = _read("""
title       title itemname productname itemtitle producttitle movietitle songname trackname 标题 名称 商品名称
            商品标题 商品名 品名 电影名 description itemdescription productdescription 商品描述
""")

ITEM_ATTRIBUTES = {**_TITLE, "category": _ITEMS["category"], "brand": _ITEMS["brand"]}

_WHO, _WHAT, _NUMBER = _EVENTS["user_id"], _EVENTS["item_id"], ("id", "编号")

ALIASES: dict[TableName, dict[str, tuple[str, ...]]] = {
    "events": _EVENTS,
    "items": {"item_id": (*_WHAT, *_NUMBER), **_ITEMS, "price": _EVENTS["price"]},
    "users": {"user_id": (*_WHO, *_NUMBER)},
    "friends": {"user_id": (*_WHO, "followerid", "follower", "trusterid", "truster", "source", "from"), **_FRIENDS},
}
