"""The sample shop: a year of people choosing things, from a seed, with everything known that a real log hides.

    shop = sample_shop(people=5_000, items=2_000, events=300_000, seed=0)
    shop.tables                        # what a shop has: events, items, users, friends, with dirt of every kind
    shop.write(Path("shop"))           # the same as four CSV files
    shop.dirt                          # {"duplicate": 1510, …}: the rows of each kind of fault
    shop.truth.scores(users, items, t) # the expected number of choices: the ranking that nobody can beat on average

**The shelf.** Items stand on one long shelf: 24 departments one after the other, and inside a department neighbours are
alike. Titles, styles and brands tell, blurred, where on the shelf an item stands. Time goes in 52 weeks that end at
`end`; within a week nothing in the formulas changes. For a person u, an item i and a week w, with a kind of buyer k(u):

    weight    W(k, i, w) = on_sale(i, w) · exp(appeal_i + 0.4 exp(-age_i / 4 weeks)) · s(dept_i, w) · p(i, w)^-beta_k
    price     p(i, w)    = price paid in the week / usual price of the department;   beta = 0, 0.5, 1.1 or 2.0
              a tenth of all item-weeks is reduced by 10 to 30 %; only the price in the event shows it
    season    s(c, w)    = exp(A_c cos(2 pi (day - peak_c) / 365.2425)), divided by its mean over the year
    appeal    normal, standard deviation 1.3: the long tail
    draw      D(S)       = item i of the stretch of shelf S with probability W(k, i, w) / sum over S of W(k, ., w)

**Choices.** Person u makes Poisson many choices, lognormal rate L_u a week, the sum of these channels:

    interests  L_u · share_j · s(dept_j, w), for one to six interests j, each a place on the shelf; drawn with
               probability 0.55, 0.35, 0.10 from the narrow box around it, the wide box, or the whole department
               (5 and 14 neighbours to each side at 2,000 items, growing with the root of the shelf).
               Three in ten of the interests but the first begin or end within the year.
    browsing   0.08 L_u: D(the whole shelf), which is popularity
    follow-up  0.07 L_u: the narrow box around the companion of the last item (a fixed place in another department)
    friends    0.06 L_u: one of the purchases that friends made in the last two weeks, each equally likely.
               Most friends have first interests that are near on the shelf, one tie in four is by chance.

A lasting item that one has looked at before is kept with probability 0.35 only, one that was bought with 0.05; the rest
of those choices does not happen. A choice is a view. It ends in a purchase with the probability
1 / (1 + exp(1.9 + beta_k log p(i, w))), and 15 % of the others in the cart. Each purchase of a consumable is repeated
with probability 0.65 after cycle_i · exp(0.2 N(0, 1)) days, if the item is still sold.

**Truth.** `truth.scores` is the sum of the channels' rates over the same stretches that the choices were drawn from,
times what is left of the wish, plus, for each purchase of a consumable that was not repeated yet, the hazard of being
repeated within the week, with F the lognormal distribution of the cycle and a the age of the purchase in days:

    0.65 (F(a + 7) - F(a)) / (1 - 0.65 F(a))

It is the exact expectation for the week that contains the moment asked for, given everything before that week. For a
longer window it is an approximation: friends' purchases and discounts of the later weeks are not known yet.

**Arrivals.** A third of the people and of the items come evenly over the year; some items are withdrawn (`available` is
false). **Dirt** are extra rows: the clean ones are the same without it. Every kind is counted in `shop.dirt`.
"""

from zhiyin.data.sample_shop.shop import SampleShop, sample_shop
from zhiyin.data.sample_shop.truth import Truth

__all__ = ["SampleShop", "Truth", "sample_shop"]
