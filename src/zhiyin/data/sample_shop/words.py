"""The words of the shop in English and Chinese, and what is true of each of its departments."""

import math
from dataclasses import dataclass

Pair = tuple[str, str]
"""The same word in English and in Chinese."""


@dataclass(frozen=True)
class Department:
    """One category of the shop: its words, its usual price, and how the year, age and use move it."""

    name: str
    name_zh: str
    nouns: tuple[Pair, ...]
    usual_price: float
    age: float  # the age that likes it most
    companion: str  # the department that people visit next
    cycle_days: float = math.nan  # until a unit is used up; NaN: it lasts
    peak_day: float = 0.0  # day of the year, 1 = 1 January
    season: float = 0.0  # strength: the peak is about exp(2 x season) times the trough


def _nouns(text: str) -> tuple[Pair, ...]:
    words = text.split()
    return tuple(zip([word.replace("_", " ") for word in words[::2]], words[1::2], strict=True))


DEPARTMENTS = (
    Department(
        "snacks",
        "零食",
        _nouns("nuts 坚果 chocolate 巧克力 crackers 饼干 dried_fruit 果干 seaweed 海苔 jerky 肉脯"),
        *(9.0, 28.0, "tea", 21.0),
    ),
    Department(
        "skin care",
        "护肤",
        _nouns("face_cream 面霜 serum 精华液 sunscreen 防晒霜 cleanser 洁面乳 sheet_mask 面膜 toner 爽肤水"),
        *(24.0, 30.0, "hair care", 45.0),
    ),
    Department(
        "books",
        "图书",
        _nouns("novel 小说 cookbook 菜谱 atlas 地图册 biography 传记 poetry 诗集 science_book 科普书"),
        *(16.0, 45.0, "stationery"),
    ),
    Department(
        "kitchenware",
        "厨具",
        _nouns("frying_pan 煎锅 chef_knife 厨刀 steamer 蒸锅 cutting_board 砧板 wok 炒锅 whisk 打蛋器"),
        *(32.0, 42.0, "snacks"),
    ),
    Department(
        "toys",
        "玩具",
        _nouns("puzzle 拼图 building_blocks 积木 plush_bear 毛绒熊 kite 风筝 board_game 桌游 toy_train 小火车"),
        *(22.0, 34.0, "baby care"),
        peak_day=345,
        season=0.9,
    ),
    Department(
        "tea",
        "茶叶",
        _nouns("green_tea 绿茶 oolong 乌龙茶 black_tea 红茶 jasmine_tea 茉莉花茶 white_tea 白茶 herbal_tea 花草茶"),
        *(18.0, 50.0, "mugs", 35.0),
        peak_day=15,
        season=0.4,
    ),
    Department(
        "shoes",
        "鞋履",
        _nouns("sneakers 运动鞋 boots 靴子 sandals 凉鞋 loafers 乐福鞋 running_shoes 跑鞋 slippers 拖鞋"),
        *(60.0, 27.0, "fitness"),
    ),
    Department(
        "coffee",
        "咖啡",
        _nouns("espresso 意式咖啡 filter_coffee 手冲 instant 速溶咖啡 capsules 胶囊咖啡 decaf 低因咖啡 cold_brew 冷萃"),
        *(15.0, 36.0, "mugs", 28.0),
    ),
    Department(
        "headphones",
        "耳机",
        _nouns("earbuds 入耳式耳机 headset 头戴式耳机 speaker 音箱 microphone 麦克风 neckband 颈挂耳机 adapter 转接头"),
        *(75.0, 24.0, "phone cases"),
    ),
    Department(
        "bedding",
        "床品",
        _nouns("pillow 枕头 duvet 被子 bed_sheet 床单 blanket 毛毯 pillowcase 枕套 mattress_pad 床垫"),
        *(55.0, 44.0, "lamps"),
    ),
    Department(
        "garden",
        "园艺",
        _nouns("flower_seeds 花种 watering_can 浇水壶 planter 花盆 pruner 修枝剪 garden_gloves 园艺手套 hose 水管"),
        *(20.0, 56.0, "kitchenware"),
        peak_day=130,
        season=1.1,
    ),
    Department(
        "pet food",
        "宠物食品",
        _nouns("cat_food 猫粮 dog_food 狗粮 cat_treats 猫零食 dog_treats 狗零食 fish_food 鱼食 bird_seed 鸟食"),
        *(26.0, 38.0, "toys", 30.0),
    ),
    Department(
        "coats",
        "外套",
        _nouns("down_jacket 羽绒服 trench_coat 风衣 raincoat 雨衣 wool_coat 羊毛大衣 parka 派克大衣 vest 马甲"),
        *(95.0, 33.0, "shoes"),
        peak_day=340,
        season=1.2,
    ),
    Department(
        "mugs",
        "马克杯",
        _nouns("mug 马克杯 teacup 茶杯 tumbler 随行杯 thermos 保温杯 glass 玻璃杯 gift_set 杯具套装"),
        *(14.0, 37.0, "coffee"),
    ),
    Department(
        "fitness",
        "健身",
        _nouns(
            "yoga_mat 瑜伽垫 dumbbell 哑铃 resistance_band 弹力带 jump_rope 跳绳 foam_roller 泡沫轴 kettlebell 壶铃"
        ),
        *(28.0, 29.0, "vitamins"),
        peak_day=15,
        season=0.6,
    ),
    Department(
        "hair care",
        "洗护",
        _nouns("shampoo 洗发水 conditioner 护发素 hair_oil 护发精油 hair_mask 发膜 comb 梳子 hair_spray 定型喷雾"),
        *(13.0, 32.0, "skin care", 50.0),
    ),
    Department(
        "stationery",
        "文具",
        _nouns("notebook 笔记本 fountain_pen 钢笔 pencil_case 笔袋 planner 手账 markers 马克笔 sticky_notes 便利贴"),
        *(8.0, 21.0, "books"),
        peak_day=245,
        season=0.8,
    ),
    Department(
        "phone cases",
        "手机壳",
        _nouns(
            "phone_case 手机壳 screen_film 屏幕膜 phone_stand 手机支架 charger 充电器 cable 数据线 power_bank 充电宝"
        ),
        *(17.0, 22.0, "headphones"),
    ),
    Department(
        "lamps",
        "灯具",
        _nouns(
            "desk_lamp 台灯 floor_lamp 落地灯 night_light 小夜灯 lantern 灯笼 string_lights 串灯 ceiling_light 吸顶灯"
        ),
        *(48.0, 40.0, "bedding"),
    ),
    Department(
        "vitamins",
        "保健品",
        _nouns("multivitamin 复合维生素 fish_oil 鱼油 protein_powder 蛋白粉 calcium 钙片 zinc 锌片 collagen 胶原"),
        *(29.0, 58.0, "fitness", 60.0),
    ),
    Department(
        "swimwear",
        "泳装",
        _nouns("swimsuit 泳衣 swim_trunks 泳裤 goggles 泳镜 swim_cap 泳帽 beach_towel 沙滩巾 swim_ring 泳圈"),
        *(35.0, 25.0, "skin care"),
        peak_day=185,
        season=1.4,
    ),
    Department(
        "baby care",
        "母婴",
        _nouns(
            "diapers 纸尿裤 baby_wipes 湿巾 baby_bottle 奶瓶 baby_formula 奶粉 pacifier 安抚奶嘴 baby_lotion 婴儿乳液"
        ),
        *(27.0, 31.0, "toys", 25.0),
    ),
    Department(
        "camping",
        "露营",
        _nouns("tent 帐篷 sleeping_bag 睡袋 camp_stove 露营炉 backpack 背包 folding_chair 折叠椅 headlamp 头灯"),
        *(70.0, 30.0, "coats"),
        peak_day=170,
        season=1.0,
    ),
    Department(
        "festive",
        "节庆装饰",
        _nouns("garland 花环 candle 蜡烛 ornament 挂饰 red_lantern 红灯笼 gift_wrap 礼品纸 greeting_card 贺卡"),
        *(12.0, 48.0, "mugs"),
        peak_day=350,
        season=1.5,
    ),
)

STYLES: tuple[Pair, ...] = (
    *(("rustic", "复古"), ("modern", "现代"), ("minimalist", "极简"), ("colourful", "多彩"), ("classic", "经典")),
    *(("handmade", "手工"), ("luxury", "轻奢"), ("natural", "天然"), ("playful", "童趣"), ("floral", "碎花")),
)

BRANDS: tuple[Pair, ...] = (
    *(("Hearthly", "炉语"), ("Lumora", "光序"), ("Qingshan", "青山"), ("Northwind", "北风"), ("Yunduo", "云朵")),
    *(("Marlow & Finch", "马洛芬奇"), ("Zhuli", "竹里"), ("Pebble", "卵石"), ("Aurelia", "金叶"), ("Haitang", "海棠")),
    *(("Tidewater", "潮汐"), ("Songhe", "松鹤"), ("Brightside", "向阳"), ("Moss", "苔"), ("Xiaolu", "小鹿")),
    *(("Kestrel", "红隼"), ("Baihe", "百合"), ("Oakline", "橡线"), ("Meiwei", "美味"), ("Solstice", "至日")),
    *(("Fable", "寓言"), ("Lanting", "兰亭"), ("Copperleaf", "铜叶"), ("Feihong", "飞鸿"), ("Willowby", "柳畔")),
    *(("Danqing", "丹青"), ("Harbour", "港湾"), ("Yuexi", "月溪"), ("Thistle", "蓟"), ("Muge", "木歌")),
)

COLOURS: tuple[Pair, ...] = (
    *(("red", "红色"), ("blue", "蓝色"), ("green", "绿色"), ("white", "白色"), ("black", "黑色")),
    *(("yellow", "黄色"), ("grey", "灰色"), ("pink", "粉色")),
)

CITIES = ("上海", "北京", "成都", "杭州", "深圳", "广州", "London", "Berlin", "Paris", "Toronto", "Sydney", "Singapore")

GIVEN_NAMES = (
    *("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Hugo", "Iris", "Jonas"),
    *("伟", "芳", "娜", "敏", "静", "磊", "洋", "勇", "艳", "杰"),
)

FAMILY_NAMES = (
    *("Adams", "Brown", "Clark", "Dubois", "Evans", "Fischer", "Green", "Hughes", "Ito", "Jansen"),
    *("王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴"),
)

STREETS = ("High Street", "Station Road", "Church Lane", "Park Avenue", "人民路", "中山路", "解放路", "建设路")
