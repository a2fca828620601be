import pytest

from ttsops.text import SpeakableText, TextOptions, make_speakable

pytestmark = pytest.mark.unit

ONLY = TextOptions(markdown=False, emoji=False)

CASES = {
    "cardinals": [
        ("0 5 12 105", "zero five twelve one hundred and five"),
        ("1,234,567", "one million two hundred and thirty-four thousand five hundred and sixty-seven"),
        ("12345", "twelve thousand three hundred and forty-five"),
        ("007 and 0123", "zero zero seven and zero one two three"),
        ("1234567890", "one two three four five six seven eight nine zero"),
        ("10000000000", "ten billion"),
        ("9" * 30, " ".join(["nine"] * 30)),
        ("(5), “6”; 7: 8? 9!", "(five), “six”; seven: eight? nine!"),
        ("I have 5. He has 6.", "I have five. He has six."),
    ],
    "decimals": [
        ("3.50", "three point five zero"),
        ("0.05 and 1,000.5", "zero point zero five and one thousand point five"),
        ("Python 3.11.", "Python three point one one."),
    ],
    "signs": [
        ("-5 and −3.5 (-2)", "minus five and minus three point five (minus two)"),
        ("~5, ≈ 7, ±2", "about five, about seven, plus or minus two"),
        (
            ">50%, < 10 ms, ≥18, ≤ 3",
            "more than fifty percent, less than ten milliseconds, at least eighteen, at most three",
        ),
        ("+3 or 18+", "plus three or eighteen plus"),
        ("#1 and #42", "number one and number forty-two"),
    ],
    "ordinals": [
        ("1st 2nd 3rd 4th 21st", "first second third fourth twenty-first"),
        ("the 1,000th", "the one thousandth"),
        ("May 5, Dec. 24", "May fifth, Dec. twenty-fourth"),
    ],
    "years": [
        ("in 1999, since 2005", "in nineteen ninety-nine, since two thousand and five"),
        ("(2024) and 1984.", "(twenty twenty-four) and nineteen eighty-four."),
        ("in 1066; in 1905; in 2000", "in ten sixty-six; in nineteen oh five; in two thousand"),
        ("2048 tokens, 1500 people", "two thousand and forty-eight tokens, one thousand five hundred people"),
        ("1024 is even", "one thousand and twenty-four is even"),
        ("2019-2020 and 2019–21", "twenty nineteen to twenty twenty and twenty nineteen to twenty-one"),
        ("1990s, the 80s, '60s, mid-2010s", "nineteen nineties, the eighties, 'sixties, mid-twenty tens"),
        ("2000s 1900s", "two thousands nineteen hundreds"),
    ],
    "dates": [
        ("2024-05-01", "May first, twenty twenty-four"),
        ("2024-05", "May twenty twenty-four"),
        ("May 2024", "May twenty twenty-four"),
        ("2024-13-45", "2024-13-45"),
    ],
    "times": [
        ("10:30 10:00 9:05", "ten thirty ten o'clock nine oh five"),
        ("22:00 00:00 23:59", "twenty-two hundred midnight twenty-three fifty-nine"),
        ("5pm 10:30 AM 5 pm", "five P M ten thirty A M five P M"),
        ("at 5 p.m. today", "at five p.m. today"),
        ("10:30:15", "ten thirty and fifteen seconds"),
        ("9am-5pm, 9:00–17:30", "nine A M to five P M, nine o'clock to seventeen thirty"),
        ("won 3:1, 16:9", "won three to one, sixteen to nine"),
    ],
    "money": [
        ("$3.50 $1 $2.00 $0.05", "three dollars and fifty cents one dollar two dollars five cents"),
        (
            "£4.01 €1,200 ¥500 ₹10",
            "four pounds and one penny one thousand two hundred euros five hundred yen ten rupees",
        ),
        ("$5M $2.5 billion $10k", "five million dollars two point five billion dollars ten thousand dollars"),
        ("5€, 3 €, -$5", "five euros, three euros, minus five dollars"),
        ("$5-$10, $5–10k", "five to ten dollars, five to ten thousand dollars"),
        ("$1.50-$2", "one dollar and fifty cents to two dollars"),
        (
            "$20/month $9.99/mo $15/hr",
            "twenty dollars per month nine dollars and ninety-nine cents per month fifteen dollars per hour",
        ),
        ("US$7 and $3.5", "US seven dollars and three point five dollars"),
    ],
    "percent": [
        ("5% 3.5 %", "five percent three point five percent"),
        ("5-10%, 5%–10%", "five to ten percent, five to ten percent"),
    ],
    "ranges": [
        ("3-5, 3–5, 3 - 5", "three to five, three to five, three to five"),
        ("9-10 km", "nine to ten kilometers"),
        ("200-1000", "two hundred to one thousand"),
        ("5 - 3", "five minus three"),
    ],
    "units": [
        ("5 km 1 km 5km", "five kilometers one kilometer five kilometers"),
        ("16GB 100ms 3.5 GHz", "sixteen gigabytes one hundred milliseconds three point five gigahertz"),
        ("20°C, -3 °F, 90°", "twenty degrees Celsius, minus three degrees Fahrenheit, ninety degrees"),
        ("60 km/h 3 m² 30s", "sixty kilometers per hour three square meters thirty seconds"),
        ("a 5-km run, 5-minute walk, 3-year-old", "a five kilometer run, five-minute walk, three-year-old"),
        ("5 in the morning, 3 a day", "five in the morning, three a day"),
        ("100/day", "one hundred per day"),
        ("5\u00a0kg", "five kilograms"),
        ("4K 3D 10x 10k", "four K three D ten x ten k"),
        (
            "3x4 1280×720 10 x 15 cm",
            "three by four one thousand two hundred and eighty by seven hundred and twenty "
            "ten by fifteen centimeters",
        ),
    ],
    "fractions": [
        ("1/2 3/4 2/3 5/8", "one half three quarters two thirds five eighths"),
        ("1 1/2 cups, 2 3/4", "one and a half cups, two and three quarters"),
        ("½ 1½ ¾", "one half one and a half three quarters"),
        ("24/7 9/11 50/50", "twenty-four seven nine eleven fifty fifty"),
        ("8/10 and 12/25", "eight out of ten and twelve slash twenty-five"),
    ],
    "sums": [
        ("2 + 2 = 4", "two plus two equals four"),
        ("5 - 3 = 2", "five minus three equals two"),
        ("3 * 4, 3 × 4, 10 / 2", "three times four, three times four, ten divided by two"),
    ],
    "telephone": [
        ("555-123-4567", "five five five, one two three, four five six seven"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("555-1234", "five five five, one two three four"),
        ("+1 555 123 4567", "plus one, five five five, one two three, four five six seven"),
        ("020 7946 0958", "zero two zero, seven nine four six, zero nine five eight"),
        ("4111 1111 1111 1111", ", ".join(["four one one one", *["one one one one"] * 3])),
    ],
    "versions": [
        ("1.2.3 and v1.2.3", "one point two point three and version one point two point three"),
        ("v2, v2.0", "version two, version two point zero"),
        ("192.168.0.1", "one hundred and ninety-two dot one hundred and sixty-eight dot zero dot one"),
    ],
    "with letters": [
        ("GPT-4, COVID-19, F-16", "GPT-four, COVID-nineteen, F-sixteen"),
    ],
    "left as they are": [
        (text, text)
        for text in (
            "B2B mp3 H2O a1b2c3 GPT-4o F-16s",
            "x=5 f(x)=2x+1 C++20",
            "bob99@e.com file-2.txt /v1/x example2.com",
            "3/14/2025 1,2,3 3,5 12-04 .5",
            "192.168.0.0/16 0x1F 1e9 10^6",
            "a - b (c) + d # < v ~ $ £ x",
        )
    ],
}


@pytest.mark.parametrize(
    ("written", "said"),
    [pytest.param(*case, id=f"{group}: {case[0]}") for group, cases in CASES.items() for case in cases],
)
def test_numbers_are_read_as_words(written: str, said: str) -> None:
    assert make_speakable(written, "en-US", ONLY) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Speaker 1: I have 5.\nspeaker 12 : No.", "Speaker 1: I have five.\nspeaker 12 : No."),
        ("Hello.\n  Speaker 2:3 of us.", "Hello.\n  Speaker 2:3 of us."),
        ("She was Speaker 1: I know.", "She was Speaker one: I know."),
        ("Speaker 1 was late.", "Speaker one was late."),
        ("The speaker before 1: me.", "The speaker before one: me."),
        (f"{'word ' * 9}Speaker 1: no.", f"{'word ' * 9}Speaker one: no."),
    ],
)
def test_the_number_of_a_speaker_of_a_script_is_kept(written: str, said: str) -> None:
    assert make_speakable(written, "en", ONLY) == said
    speakable = SpeakableText("en", ONLY)
    assert "".join(map(speakable.feed, written)) + speakable.end() == said


@pytest.mark.parametrize("language", ["de", "fr-FR", "zh", "enm", ""])
def test_numbers_of_other_languages_are_left_alone(language: str) -> None:
    text = "Am 3. Mai um 10:30 kosten 5 km 3,50 €, 1.234 und 1st."
    assert make_speakable(text, language, ONLY) == text


@pytest.mark.parametrize("language", ["en", "EN-us", "en_GB"])
def test_english_is_any_english(language: str) -> None:
    assert make_speakable("5", language) == "five"


def test_numbers_can_be_switched_off() -> None:
    assert make_speakable("5 km", "en", TextOptions(numbers=False)) == "5 km"
