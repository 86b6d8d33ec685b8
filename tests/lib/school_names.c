#include "tests/lib/school_names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) ((unsigned)(sizeof(table) / sizeof((table)[0])))

/* Men's forms; women's add «а». */
static const char *const surnames[] = {"Ахмадов", "Исаев", "Магомадов", "Дадаев", "Хасанов",
    "Умаров", "Ибрагимов", "Абдулаев", "Мусаев", "Эльмурзаев", "Гайрбеков", "Висаитов",
    "Бисултанов", "Джабраилов", "Тимирсултанов", "Шаипов", "Межидов", "Алиев", "Юсупов", "Хамидов",
    "Бакаев", "Солтаханов", "Тутаев", "Закриев", "Мацаев"};
static const char *const surnames_russian[] = {"Иванов", "Кузнецов", "Соколов", "Попов", "Лебедев"};
static const char *const surnames_yo[] = {"Королёв", "Муравлёв", "Пчёлов"};

static const char *const men[] = {"Магомед", "Ахмед", "Ислам", "Адам", "Абдулла", "Ибрагим", "Юсуп",
    "Умар", "Хамзат", "Аслан", "Бекхан", "Тамерлан", "Мансур", "Имран", "Саид", "Муслим", "Расул",
    "Халид", "Висхан", "Ризван", "Анзор", "Асхаб", "Шамиль", "Сулейман", "Муса", "Али", "Иса"};
static const char *const men_russian[] = {
    "Александр", "Дмитрий", "Иван", "Никита", "Матвей", "Павел", "Игорь"};
static const char *const women[] = {"Марьям", "Амина", "Хеда", "Седа", "Раяна", "Айшат", "Хадижат",
    "Макка", "Милана", "Иман", "Фатима", "Ясмина", "Сафия", "Лиана", "Петимат", "Залина", "Малика",
    "Луиза", "Элина", "Танзила", "Хава", "Асет"};
static const char *const women_russian[] = {"Мария", "Анна", "Дарья", "Ольга", "Полина", "Вера"};

/* Indexed by whether it is a woman. */
static const char *const given_yo[] = {"Артём", "Алёна"};
static const char *const given_palochka[] = {"Ӏалихан", "Ӏайшат"};
static const char *const given_double[] = {"Лом-Али", "Хеда-Марьям"};

/* Public figures, by surname and given name. */
static const struct {
    const char *surname;
    const char *given;
} denied[] = {
    {"Джабраилов", "Умар"},
    {"Гайрбеков", "Муслим"},
    {"Исаев", "Мансур"},
    {"Ибрагимов", "Магомед"},
    {"Абдулаев", "Магомед"},
    {"Мусаев", "Магомед"},
    {"Ахмадов", "Ризван"},
    {"Хасанов", "Мансур"},
    {"Алиев", "Шамиль"},
    {"Алиев", "Али"},
    {"Юсупов", "Муса"},
    {"Иванов", "Александр"},
    {"Иванов", "Игорь"},
    {"Соколов", "Александр"},
    {"Попов", "Александр"},
    {"Лебедев", "Александр"},
    {"Лебедев", "Игорь"},
    {"Кузнецов", "Александр"},
    {"Кузнецов", "Павел"},
    {"Попов", "Иван"},
};

static const char *surname_of(const struct school_name *name)
{
    if (name->edge == NAME_YO) {
        return surnames_yo[name->surname % COUNT(surnames_yo)];
    }
    return name->russian ? surnames_russian[name->surname] : surnames[name->surname];
}

static const char *given_of(const struct school_name *name)
{
    if (name->edge == NAME_YO) {
        return given_yo[name->female];
    }
    if (name->edge == NAME_PALOCHKA) {
        return given_palochka[name->female];
    }
    if (name->edge == NAME_DOUBLE) {
        return given_double[name->female];
    }
    if (name->female) {
        return name->russian ? women_russian[name->given] : women[name->given];
    }
    return name->russian ? men_russian[name->given] : men[name->given];
}

static unsigned given_count(const struct school_name *name)
{
    if (name->female) {
        return name->russian ? COUNT(women_russian) : COUNT(women);
    }
    return name->russian ? COUNT(men_russian) : COUNT(men);
}

static bool is_denied(const struct school_name *name)
{
    for (size_t i = 0; i < COUNT(denied); i++) {
        if (strcmp(denied[i].surname, surname_of(name)) == 0 &&
            strcmp(denied[i].given, given_of(name)) == 0) {
            return true;
        }
    }
    return false;
}

/* Of every surname only a few given names are denied, so this ends soon. */
static void draw_given(struct random_stream *stream, struct school_name *name)
{
    do {
        name->given = (unsigned char)draw_below(stream, given_count(name));
    } while (is_denied(name));
}

struct school_name name_draw(struct random_stream *stream, enum name_edge edge)
{
    struct school_name name = {.edge = (unsigned char)edge, .female = draw_chance(stream, 500)};
    name.russian = edge == NAME_YO || (edge != NAME_PALOCHKA && draw_chance(stream, 100));
    name.surname =
        (unsigned char)draw_below(stream, name.russian ? COUNT(surnames_russian) : COUNT(surnames));
    name.father = (unsigned char)draw_below(stream, name.russian ? COUNT(men_russian) : COUNT(men));
    draw_given(stream, &name);
    return name;
}

static void draw_father(struct random_stream *stream, struct school_name *parent, unsigned given)
{
    parent->given = (unsigned char)given;
    if (is_denied(parent)) {
        draw_given(stream, parent);
    }
}

struct school_name name_draw_parent(
    struct random_stream *stream, const struct school_name *child, bool mother)
{
    struct school_name parent = *child;
    parent.female = mother;
    /* A surname is inherited with its hyphen and its ё; a given name is not. */
    parent.edge = child->edge == NAME_HYPHEN ? NAME_HYPHEN : NAME_PLAIN;
    if (mother) {
        draw_given(stream, &parent);
    } else {
        draw_father(stream, &parent, child->father);
    }
    if (child->edge == NAME_YO) {
        parent.edge = NAME_YO;
    }
    parent.father =
        (unsigned char)draw_below(stream, parent.russian ? COUNT(men_russian) : COUNT(men));
    return parent;
}

void name_surname(const struct school_name *name, char *out)
{
    const char *ending = name->female ? "а" : "";
    if (name->edge == NAME_HYPHEN) {
        unsigned other = (name->surname + 7U) % COUNT(surnames);
        (void)snprintf(
            out, NAME_TEXT_SIZE, "%s%s-%s%s", surname_of(name), ending, surnames[other], ending);
        return;
    }
    (void)snprintf(out, NAME_TEXT_SIZE, "%s%s", surname_of(name), ending);
}

void name_given(const struct school_name *name, char *out)
{
    (void)snprintf(out, NAME_TEXT_SIZE, "%s", given_of(name));
}

/* Letters are two bytes each. */
static bool ends_with(const char *text, size_t size, const char *ending)
{
    return size >= 2 && memcmp(text + size - 2, ending, 2) == 0;
}

/* Магомед: Магомедович. Муса, Али, Шамиль: Мусаевич, Алиевич, Шамильевич. Матвей, Дмитрий:
 * Матвеевич, Дмитриевич. Игорь: Игоревич. Абдулла: Абдуллаевич. Никита: Никитич. */
void name_patronymic(const struct school_name *name, char *out)
{
    if (name->edge == NAME_NO_PATRONYMIC) {
        out[0] = '\0';
        return;
    }
    const char *father = name->russian ? men_russian[name->father] : men[name->father];
    size_t size = strlen(father);
    bool soft = ends_with(father, size, "ь") || ends_with(father, size, "а") ||
        ends_with(father, size, "и") || ends_with(father, size, "й");
    if (strcmp(father, "Никита") == 0) {
        (void)snprintf(out, NAME_TEXT_SIZE, "%s", name->female ? "Никитична" : "Никитич");
        return;
    }
    bool drops = ends_with(father, size, "й") || strcmp(father, "Игорь") == 0;
    int kept = (int)(drops ? size - 2 : size);
    const char *ending = soft ? (name->female ? "евна" : "евич") : (name->female ? "овна" : "ович");
    (void)snprintf(out, NAME_TEXT_SIZE, "%.*s%s", kept, father, ending);
}
